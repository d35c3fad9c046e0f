#include "base/net/stream_connection.h"

#include <chrono>
#include <future>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include <catch2/catch.hpp>

#include "tests/base/net/loopback_peer.h"

namespace agent {
namespace {

using std::chrono::milliseconds;

struct Fixture {
  Loop loop;
  RecordingClient client{loop};
  std::optional<StreamConnection> connection;

  void Connect(uint16_t port, const std::string& host = "127.0.0.1") {
    StreamOptions options;
    options.host = host;
    options.port = port;
    connection.emplace(loop, std::move(options), nullptr, client);
  }

  // Hands all of it over, as fast as it is taken.
  void SendAll(std::string_view bytes) {
    rest_ = bytes;
    const auto send = [this] { rest_.remove_prefix(connection->Write(rest_)); };
    client.on_writable = [this, send] {
      ++writable;
      send();
    };
    send();
  }

  int writable = 0;

 private:
  std::string_view rest_;
};

}  // namespace

TEST_CASE("connection: sends, receives, and tells that the peer has closed", "[net]") {
  std::string got;
  Fixture f;
  {
    LoopbackPeer peer([&got](int fd) {
      got = ReadBytes(fd, 5);
      WriteBytes(fd, "answer");
    });
    f.client.on_connected = [&f] {
      CHECK(f.connection->connected());
      CHECK(f.connection->Write("hello") == 5);
    };
    f.Connect(peer.port());
    CHECK(f.connection->Write("too early") == 0);

    f.loop.Run();
    CHECK(f.connection->peer() == "127.0.0.1:" + std::to_string(peer.port()));
  }

  CHECK(got == "hello");
  CHECK(f.client.received == "answer");
  CHECK(f.client.end.kind == StreamEndKind::kClosed);
  CHECK_FALSE(f.client.end.answers_ours);
  CHECK(f.client.end.error.empty());
  CHECK_FALSE(f.connection->connected());
}

TEST_CASE("connection: a refused port is unreachable", "[net]") {
  uint16_t port = 0;
  {
    const LoopbackPeer peer([](int) {});
    port = peer.port();
  }
  Fixture f;
  f.Connect(port);

  f.loop.Run();

  CHECK(f.client.end.kind == StreamEndKind::kUnreachable);
  CHECK(f.client.end.error.find("refused") != std::string::npos);
  CHECK_FALSE(f.client.connected);
}

TEST_CASE("connection: a name that does not exist is unreachable", "[net]") {
  const auto host =
      GENERATE(std::string("no-such-host.invalid"), std::string(5000, 'x'), std::string("[::g]"));
  Fixture f;
  f.Connect(1, host);

  f.loop.Run();

  CHECK(f.client.end.kind == StreamEndKind::kUnreachable);
  CHECK(f.client.end.error.find("look up") != std::string::npos);
}

TEST_CASE("connection: finds a host by its name, also where its first address is not listened at",
          "[net]") {
  Fixture f;
  LoopbackPeer peer([](int fd) { WriteBytes(fd, "here"); });
  f.Connect(peer.port(), "localhost");

  f.loop.Run();

  CHECK(f.client.received == "here");
}

TEST_CASE("connection: what the system does not take at once goes when it may", "[net]") {
  const std::string sent(std::size_t{8} << 20, 'x');
  std::string got;
  Fixture f;
  {
    LoopbackPeer peer([&](int fd) { got = ReadBytes(fd, sent.size()); });
    f.client.on_connected = [&] { f.SendAll(sent); };
    f.Connect(peer.port());

    f.loop.Run();
  }

  CHECK(got == sent);
  CHECK(f.writable > 0);
}

TEST_CASE("connection: a reset while idle is told", "[net]") {
  LoopbackPeer peer([](int fd) {
    ReadBytes(fd, 1);
    ResetOnClose(fd);
  });
  Fixture f;
  f.client.on_connected = [&f] { f.connection->Write("x"); };
  f.Connect(peer.port());

  f.loop.Run();

  CHECK(f.client.connected);
  CHECK(f.client.end.kind == StreamEndKind::kBroken);
  CHECK(f.client.end.error.find("reset") != std::string::npos);
}

TEST_CASE("connection: what was received before writing failed is told first", "[net]") {
  std::promise<void> gone;
  Fixture f;
  {
    LoopbackPeer peer([&gone](int fd) {
      ReadBytes(fd, 1);
      WriteBytes(fd, "acknowledged");
      ResetOnClose(fd);
      gone.set_value();
    });
    f.Connect(peer.port());
    f.client.on_connected = [&] {
      f.connection->Write("x");
      gone.get_future().wait();
      // Until the reset is here, writing works.
      const std::string more(4096, 'x');
      while (f.connection->Write(more) == more.size()) {
      }
    };

    f.loop.Run();
  }

  CHECK(f.client.received == "acknowledged");
  CHECK(f.client.ends == 1);
  CHECK(f.connection->Write("more") == 0);
}

TEST_CASE("connection: after our end the peer's last words are heard", "[net]") {
  std::string got;
  Fixture f;
  {
    LoopbackPeer peer([&got](int fd) {
      got = ReadBytes(fd, 100);
      WriteBytes(fd, "goodbye");
    });
    f.client.on_connected = [&f] {
      f.connection->Write("all");
      f.connection->Shutdown();
    };
    f.Connect(peer.port());

    f.loop.Run();
  }

  CHECK(got == "all");
  CHECK(f.client.received == "goodbye");
  CHECK(f.client.end.answers_ours);
  CHECK(f.client.end.kind == StreamEndKind::kClosed);
}

TEST_CASE("connection: may be destroyed by what it calls", "[net]") {
  const bool at_connect = GENERATE(true, false);
  LoopbackPeer peer([](int fd) {
    WriteBytes(fd, "x");
    ReadBytes(fd, 1);
  });
  Fixture f;
  const auto destroy = [&f] {
    f.connection.reset();
    f.loop.Stop();
  };
  (at_connect ? f.client.on_connected : f.client.on_received) = destroy;
  f.Connect(peer.port());

  f.loop.Run();

  CHECK(f.client.ends == 0);
}

TEST_CASE("connection: destroyed while it looks for the host, it is quiet", "[net]") {
  Fixture f;
  f.Connect(1, "no-such-host.invalid");
  f.connection.reset();
  Timer timer(f.loop);
  timer.StartOnce(milliseconds(50), [&f] { f.loop.Stop(); });

  f.loop.Run();

  CHECK(f.client.ends == 0);
}

}  // namespace agent
