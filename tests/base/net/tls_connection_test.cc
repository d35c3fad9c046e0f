#include <chrono>
#include <fstream>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include <catch2/catch.hpp>

#include "base/net/stream_connection.h"
#include "base/net/trusted_fingerprint.h"
#include "tests/base/net/loopback_peer.h"
#include "tests/support/temp_dir.h"

namespace agent {
namespace {

using std::chrono::milliseconds;

constexpr std::string_view kLoopback = "IP:127.0.0.1";

struct Fixture {
  TestCertificate authority = MakeTestCertificate("authority", "");
  TestCertificate server = MakeTestCertificate("server", std::string(kLoopback), &authority);
  TestCertificate misnamed = MakeTestCertificate("other", "DNS:elsewhere.example", &authority);
  TestCertificate own = MakeTestCertificate("client", "", &authority);
  Loop loop;
  RecordingClient client{loop};
  std::optional<TlsClient> tls;
  std::optional<StreamConnection> connection;

  [[nodiscard]] TlsOptions Trusting() const {
    TlsOptions options;
    options.ca = authority.cert;
    return options;
  }

  void Connect(uint16_t port, TlsOptions options, milliseconds timeout = milliseconds(30'000)) {
    tls.emplace(std::move(options));
    ConnectAgain(port, timeout);
  }
  void ConnectAgain(uint16_t port, milliseconds timeout = milliseconds(30'000)) {
    StreamOptions where;
    where.host = "127.0.0.1";
    where.port = port;
    where.connect_timeout = timeout;
    connection.emplace(loop, std::move(where), &*tls, client);
  }

  // A peer that greets, and reads until the end; gives how it ended for us.
  StreamEnd Greeted(const TestCertificate& peer_has, TlsOptions options,
                    const std::string& client_authority = "") {
    LoopbackPeer peer([&](int fd) {
      TlsPeer tls_peer(fd, peer_has, client_authority);
      if (!tls_peer.accepted()) return;
      tls_peer.Write("welcome");
      tls_peer.Read(1);
    });
    client.on_received = [this] { connection->Shutdown(); };
    Connect(peer.port(), std::move(options));
    loop.Run();
    return client.end;
  }
};

}  // namespace

TEST_CASE("TLS: a server is trusted whose authority and name are right", "[net][tls]") {
  Fixture f;
  std::string got;
  {
    LoopbackPeer peer([&](int fd) {
      TlsPeer tls_peer(fd, f.server);
      got = tls_peer.Read(5);
      tls_peer.Write("answer");
      tls_peer.SendEnd();
    });
    f.client.on_connected = [&f] { CHECK(f.connection->Write("hello") == 5); };
    f.Connect(peer.port(), f.Trusting());

    f.loop.Run();
  }

  CHECK(got == "hello");
  CHECK(f.client.received == "answer");
  CHECK(f.client.end.kind == StreamEndKind::kClosed);
}

TEST_CASE("TLS: what is verified is what was asked for", "[net][tls]") {
  struct Case {
    const char* name;
    bool own_authority;
    bool right_name;
    bool any_server_name;
    bool insecure;
    const char* refused;  // What the error says; null: it is trusted.
  };
  const auto c = GENERATE(values<Case>({
      {"all is right", true, true, false, false, nullptr},
      {"another name", true, false, false, false, "mismatch"},
      {"another name, and any is good", true, false, true, false, nullptr},
      {"unknown authority", false, true, false, false, "certificate verify failed"},
      {"unknown authority, any name", false, true, true, false, "certificate verify failed"},
      {"nothing is verified", false, false, false, true, nullptr},
  }));
  INFO(c.name);
  Fixture f;
  TlsOptions options = f.Trusting();
  if (!c.own_authority) options.ca = MakeTestCertificate("stranger", "").cert;
  options.any_server_name = c.any_server_name;
  options.insecure_skip_verify = c.insecure;

  const StreamEnd end = f.Greeted(c.right_name ? f.server : f.misnamed, options);

  INFO(end.error);
  CHECK(f.client.connected == (c.refused == nullptr));
  CHECK((end.kind == StreamEndKind::kUntrusted) == (c.refused != nullptr));
  if (c.refused != nullptr) CHECK(end.error.find(c.refused) != std::string::npos);
}

TEST_CASE("TLS: an authority can be trusted by its fingerprint", "[net][tls]") {
  struct Case {
    const char* name;
    const char* of;     // Whose fingerprint is configured.
    const char* shown;  // What the server shows besides its own certificate.
    bool right_name;
    bool trusted;
  };
  const auto c = GENERATE(values<Case>({
      {"the authority's, which is shown", "authority", "authority", true, true},
      {"the authority's, which is not shown", "authority", "nothing", true, false},
      {"the server's own", "server", "nothing", true, true},
      {"a stranger's", "stranger", "authority", true, false},
      {"a stranger's, who is shown but signed nothing", "stranger", "stranger", true, false},
      {"the authority's, and another name", "authority", "authority", false, false},
  }));
  INFO(c.name);
  Fixture f;
  const TestCertificate stranger = MakeTestCertificate("stranger", "");
  const auto named = [&](std::string_view who) -> std::string {
    if (who == "nothing") return "";
    return who == "authority" ? f.authority.cert : who == "server" ? f.server.cert : stranger.cert;
  };
  TestCertificate server = c.right_name ? f.server : f.misnamed;
  server.cert += named(c.shown);
  TlsOptions options;
  options.ca = MakeTestCertificate("another authority", "").cert;
  options.trusted_fingerprint = FingerprintOf(named(c.of));

  const StreamEnd end = f.Greeted(server, options);

  INFO(end.error);
  CHECK(f.client.connected == c.trusted);
  CHECK((end.kind == StreamEndKind::kUntrusted) == !c.trusted);
}

TEST_CASE("TLS: fingerprints are taken as tools print them", "[net][tls]") {
  const std::string digits(64, 'a');
  CHECK(NormalFingerprint(digits) == digits);
  CHECK(NormalFingerprint(std::string(64, 'A')) == digits);
  std::string colons = "AA";
  for (int i = 1; i < 32; ++i)
    colons += ":aA";
  CHECK(NormalFingerprint(colons) == digits);
  CHECK(NormalFingerprint(std::string(40, 'a')).empty());
  CHECK(NormalFingerprint(std::string(63, 'a') + "g").empty());
  CHECK(NormalFingerprint("").empty());
}

TEST_CASE("TLS: the name that is configured is the one that must fit", "[net][tls]") {
  Fixture f;
  TlsOptions options = f.Trusting();
  options.server_name = "elsewhere.example";

  f.Greeted(f.misnamed, options);

  CHECK(f.client.received == "welcome");
}

TEST_CASE("TLS: a refused client certificate is no broken connection", "[net][tls]") {
  Fixture f;
  TlsOptions options = f.Trusting();
  const TestCertificate stranger = MakeTestCertificate("stranger", "");
  const std::string who = GENERATE("nobody", "stranger", "client");
  if (who == "stranger") {
    options.cert = stranger.cert;
    options.key = stranger.key;
  } else if (who == "client") {
    options.cert = f.own.cert;
    options.key = f.own.key;
  }
  // With TLS 1.3 our side of the handshake is over before it is known.
  options.max_version = GENERATE("TLS12", "TLS13");
  INFO(who << " " << options.max_version);

  const StreamEnd end = f.Greeted(f.server, options, f.authority.cert);

  INFO(end.error);
  CHECK((end.kind == StreamEndKind::kUntrusted) == (who != "client"));
  CHECK((f.client.received == "welcome") == (who == "client"));
}

TEST_CASE("TLS: an encrypted key needs its passphrase", "[net][tls]") {
  Fixture f;
  TlsOptions options = f.Trusting();
  options.cert = f.own.cert;
  options.key = EncryptedKey(f.own.key, "secret");
  options.key_passphrase = GENERATE("secret", "wrong", "");

  const StreamEnd end = f.Greeted(f.server, options, f.authority.cert);

  const bool right = options.key_passphrase == "secret";
  CHECK(f.client.connected == right);
  CHECK((end.kind == StreamEndKind::kUntrusted) == !right);
  CHECK(end.error.find("secret") == std::string::npos);
}

TEST_CASE("TLS: large writes go in parts, in both directions at once", "[net][tls]") {
  Fixture f;
  const std::string sent(std::size_t{4} << 20, 's');
  const std::string answer(std::size_t{1} << 20, 'a');
  std::string got;
  {
    LoopbackPeer peer([&](int fd) {
      TlsPeer tls_peer(fd, f.server);
      tls_peer.Write(answer);
      got = tls_peer.Read(sent.size());
      tls_peer.SendEnd();
    });
    std::string_view rest = sent;
    const auto send = [&] { rest.remove_prefix(f.connection->Write(rest)); };
    f.client.on_connected = send;
    f.client.on_writable = send;
    f.Connect(peer.port(), f.Trusting());

    f.loop.Run();
  }

  CHECK(got == sent);
  CHECK(f.client.received == answer);
}

TEST_CASE("TLS: a cut is no end", "[net][tls]") {
  Fixture f;
  LoopbackPeer peer([&](int fd) {
    TlsPeer tls_peer(fd, f.server);
    tls_peer.Write("half");
  });
  f.Connect(peer.port(), f.Trusting());

  f.loop.Run();

  CHECK(f.client.received == "half");
  CHECK(f.client.end.kind == StreamEndKind::kBroken);
}

TEST_CASE("TLS: our end is told, and the peer's last words are heard", "[net][tls]") {
  Fixture f;
  std::string got;
  {
    LoopbackPeer peer([&](int fd) {
      TlsPeer tls_peer(fd, f.server);
      got = tls_peer.Read(100);
      tls_peer.Write("goodbye");
      tls_peer.SendEnd();
    });
    f.client.on_connected = [&f] {
      f.connection->Write("all");
      f.connection->Shutdown();
    };
    f.Connect(peer.port(), f.Trusting());

    f.loop.Run();
  }

  CHECK(got == "all");
  CHECK(f.client.received == "goodbye");
  CHECK(f.client.end.kind == StreamEndKind::kClosed);
}

TEST_CASE("TLS: a peer that says nothing is given up", "[net][tls]") {
  Fixture f;
  LoopbackPeer peer([](int fd) { ReadBytes(fd, 100'000); });
  f.Connect(peer.port(), f.Trusting(), milliseconds(50));

  f.loop.Run();
  f.connection.reset();

  CHECK(f.client.end.kind == StreamEndKind::kUnreachable);
  CHECK_FALSE(f.client.connected);
}

TEST_CASE("TLS: a file that has changed counts for the next connection", "[net][tls]") {
  Fixture f;
  const TempDir folder;
  const std::string path = folder.path() + "/ca.pem";
  std::ofstream(path) << MakeTestCertificate("stranger", "").cert;
  TlsOptions options;
  options.ca_file = path;
  CHECK(f.Greeted(f.server, options).kind == StreamEndKind::kUntrusted);

  std::ofstream(path) << f.authority.cert << f.own.cert;
  LoopbackPeer peer([&](int fd) { TlsPeer(fd, f.server).Write("welcome"); });
  f.ConnectAgain(peer.port());
  f.loop.Run();

  CHECK(f.client.received == "welcome");
}

TEST_CASE("TLS: files that are missing or no certificates are named", "[net][tls]") {
  const TempDir folder;
  const std::string path = folder.path() + "/none.pem";
  const bool exists = GENERATE(false, true);
  if (exists) std::ofstream(path) << "nothing";
  TlsOptions options;
  options.ca_file = path;
  TlsClient tls(options);

  const auto transport = tls.MakeTransport(-1, "localhost");

  REQUIRE_FALSE(transport.ok());
  CHECK(transport.error().message.find(path) != std::string::npos);
}

}  // namespace agent
