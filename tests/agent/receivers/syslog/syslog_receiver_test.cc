#include "agent/receivers/syslog/syslog_receiver.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "base/unique_fd.h"
#include "tests/support/recording_metrics.h"

namespace agent {
namespace {

using std::chrono::milliseconds;

using Lines = std::vector<std::string>;

class FakeHost final : public SourceHost {
 public:
  void Start(std::shared_ptr<Source> started) override { source = std::move(started); }
  void Wake(const std::shared_ptr<Source>& /*source*/) override {}
  void Stop(const std::shared_ptr<Source>& /*source*/) override {}

  std::shared_ptr<Source> source;
};

sockaddr_in Loopback(uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

// A sender.
class Client {
 public:
  explicit Client(uint16_t port, int type = SOCK_STREAM) : fd_(::socket(AF_INET, type, 0)) {
    const sockaddr_in address = Loopback(port);
    REQUIRE(::connect(fd_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
  }
  void Send(std::string_view bytes) const {
    REQUIRE(::send(fd_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL) ==
            static_cast<ssize_t>(bytes.size()));
  }
  // Sends `bytes` again and again, for as long as the other side takes them. False: not one.
  bool SendUntilStuck(std::string_view bytes) {
    const std::size_t before = sent_;
    while (true) {
      const std::string_view rest = bytes.substr(sent_ % bytes.size());
      const ssize_t size = ::send(fd_.get(), rest.data(), rest.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
      if (size < 0) return sent_ > before;
      sent_ += static_cast<std::size_t>(size);
    }
  }
  [[nodiscard]] std::size_t sent() const { return sent_; }
  void CloseSending() const { ::shutdown(fd_.get(), SHUT_WR); }
  [[nodiscard]] bool IsClosedByServer() const {
    char byte = 0;
    const ssize_t size = ::recv(fd_.get(), &byte, 1, MSG_DONTWAIT);
    return size == 0 || (size < 0 && errno != EAGAIN);
  }

 private:
  UniqueFd fd_;
  std::size_t sent_ = 0;
};

struct Bed {
  explicit Bed(const SyslogConfig& config = {}, HostNames::Lookup lookup = nullptr) {
    ScrapeConfig job;
    job.job_name = "j";
    job.syslog = config;
    job.syslog->listen_address = "127.0.0.1";
    if (lookup) {
      RelabelRule rule;
      rule.source_labels = {"__syslog_connection_hostname"};
      rule.target_label = "host";
      job.relabel_configs = {rule};
    }
    receiver = std::make_unique<SyslogReceiver>(
        job, SyslogReceiver::Dependencies{loop, clock, logger}, Random(1), std::move(lookup));
    receiver->Start(host, 1);
    tick.StartRepeating(milliseconds(10), [] {});  // Conditions are looked at again.
  }
  ~Bed() {
    receiver->Stop();
    receiver.reset();
  }

  template <typename Condition>
  void RunUntil(const Condition& condition) {
    while (!condition())
      uv_run(loop.uv(), UV_RUN_ONCE);
  }
  // Reads what the source has, as the worker does.
  void Take() {
    BlockBuffer buffer;
    Chunk chunk;
    while (host.source->Read(buffer, std::size_t{256} << 10, chunk) == ReadStatus::kData) {
      for (const ChunkLine& line : chunk.lines) {
        lines.emplace_back(line.text);
        labels.push_back(FormatLabels(*line.labels));
      }
    }
  }
  const Lines& WaitForLines(std::size_t count) {
    RunUntil([&] {
      Take();
      return lines.size() >= count;
    });
    return lines;
  }
  double Metric(const std::string& name) {
    RecordingMetrics metrics;
    receiver->CollectMetrics(metrics);
    return metrics.Value(name);
  }

  Loop loop;
  Timer tick{loop};
  SystemClock clock;
  Logger logger{2, LogLevel::kError, LogFormat::kLogfmt};
  FakeHost host;
  std::unique_ptr<SyslogReceiver> receiver;
  Lines lines;
  Lines labels;
};

std::string Message(const std::string& text) {
  return "<13>1 - - - - - - " + text;
}

std::string Counted(const std::string& text) {
  return std::to_string(Message(text).size()) + " " + Message(text);
}

SyslogConfig Udp() {
  SyslogConfig config;
  config.listen_protocol = SyslogProtocol::kUdp;
  return config;
}

}  // namespace

TEST_CASE("syslog receiver: messages of many connections come in their order", "[syslog]") {
  Bed bed;
  std::vector<std::unique_ptr<Client>> clients;
  for (int i = 0; i < 20; ++i)
    clients.push_back(std::make_unique<Client>(bed.receiver->port()));
  for (int round = 0; round < 5; ++round) {
    for (const auto& client : clients)
      client->Send(Counted(std::to_string(round)));
  }

  const Lines lines = bed.WaitForLines(100);

  CHECK(lines.size() == 100);
  CHECK(std::count(lines.begin(), lines.end(), "4") == 20);
  CHECK(bed.Metric("agent_syslog_connections j") == 20);
  CHECK(bed.Metric("promtail_syslog_target_entries_total") == 100);
  clients.clear();
  bed.RunUntil([&] { return bed.Metric("agent_syslog_connections j") == 0; });
}

TEST_CASE("syslog receiver: a line comes when the next one does, or none for a while", "[syslog]") {
  Bed bed;
  const Client client(bed.receiver->port());

  client.Send(Message("one\n at a\n") + Message("two\n"));
  bed.WaitForLines(1);
  CHECK(bed.lines == Lines{"one\n at a"});
  bed.WaitForLines(2);  // By the timer: nothing follows.
  client.Send(Message("three"));
  client.CloseSending();
  bed.WaitForLines(3);

  CHECK(bed.lines == Lines{"one\n at a", "two", "three"});
}

TEST_CASE("syslog receiver: of a counted message that ends too early there is what has come",
          "[syslog]") {
  Bed bed;
  const Client client(bed.receiver->port());

  client.Send("99 " + Message("half"));
  client.CloseSending();

  CHECK(bed.WaitForLines(1) == Lines{"half"});
  CHECK(bed.Metric("promtail_syslog_target_parsing_errors_total") == 1);
}

TEST_CASE("syslog receiver: who sends no syslog is refused, the others go on", "[syslog]") {
  Bed bed;
  const Client good(bed.receiver->port());
  const Client bad(bed.receiver->port());
  bad.Send("GET / HTTP/1.1\r\n\r\n");
  bed.RunUntil([&] { return bad.IsClosedByServer(); });
  good.Send(Counted("text"));

  CHECK(bed.WaitForLines(1) == Lines{"text"});
  CHECK(bed.Metric("agent_syslog_connections_refused_total j not_syslog") == 1);
}

TEST_CASE("syslog receiver: an idle connection is closed, with what it had", "[syslog]") {
  SyslogConfig config;
  config.idle_timeout = milliseconds(50);
  Bed bed(config);
  const Client client(bed.receiver->port());
  client.Send(Message("no newline"));

  bed.RunUntil([&] { return client.IsClosedByServer(); });

  CHECK(bed.WaitForLines(1) == Lines{"no newline"});
  CHECK(bed.Metric("agent_syslog_connections_idle_closed_total j") == 1);
}

TEST_CASE("syslog receiver: when nobody reads, senders wait, and nothing is lost", "[syslog]") {
  Bed bed;
  std::vector<std::unique_ptr<Client>> clients;
  const std::string message = Counted(std::string(1000, 'x'));
  std::string bulk;
  for (int i = 0; i < 64; ++i)
    bulk += message;
  for (int i = 0; i < 4; ++i)
    clients.push_back(std::make_unique<Client>(bed.receiver->port()));
  // Until two turns of the loop take nothing more.
  for (int stuck = 0; stuck < 2;) {
    bool sent = false;
    for (const auto& client : clients)
      sent = client->SendUntilStuck(bulk) || sent;
    bed.loop.RunOnce();
    stuck = sent ? 0 : stuck + 1;
  }
  const std::size_t queued =
      std::static_pointer_cast<ReceivedSource>(bed.host.source)->waiting_bytes();
  CHECK(queued < ReceivedSource::kMaxWaitingBytes + (std::size_t{512} << 10));
  for (const auto& client : clients)
    client->CloseSending();

  bed.RunUntil([&] {
    bed.Take();
    return bed.Metric("agent_syslog_connections j") == 0;
  });
  bed.Take();

  // Of a message within which a connection was stuck there is what was sent.
  std::size_t whole = 0;
  for (const auto& client : clients)
    whole += client->sent() / message.size();
  CHECK(std::count_if(bed.lines.begin(), bed.lines.end(), [](const std::string& line) {
          return line.size() == 1000;
        }) == static_cast<std::ptrdiff_t>(whole));
}

TEST_CASE("syslog receiver: what has come before a stop is taken", "[syslog]") {
  const bool udp = GENERATE(false, true);
  CAPTURE(udp);
  Bed bed(udp ? Udp() : SyslogConfig());
  const Client client(bed.receiver->port(), udp ? SOCK_DGRAM : SOCK_STREAM);
  if (!udp) bed.RunUntil([&] { return bed.Metric("agent_syslog_connections j") == 1; });
  for (int i = 0; i < 50; ++i)
    client.Send(Counted(std::to_string(i)));

  bed.receiver->Stop();
  bed.Take();

  CHECK(bed.lines.size() == 50);
}

TEST_CASE("syslog receiver: a datagram has one message, several, or none that can be read",
          "[syslog]") {
  Bed bed(Udp());
  const Client client(bed.receiver->port(), SOCK_DGRAM);

  client.Send(Message("one"));
  client.Send(Message("two\n at a\n") + Message("three\n"));
  client.Send(Counted("four"));
  client.Send("2026 is no length");
  client.Send("garbage");
  client.Send(Message(std::string(9000, 'x')));
  bed.WaitForLines(7);

  CHECK(Lines(bed.lines.begin(), bed.lines.begin() + 6) ==
        Lines{"one", "two\n at a", "three", "four", "2026 is no length", "garbage"});
  CHECK(bed.lines[6].size() == 8192 - Message("").size());
  CHECK(bed.Metric("agent_syslog_messages_cut_total j") == 1);
  CHECK(bed.Metric("promtail_syslog_target_parsing_errors_total") == 2);
}

TEST_CASE("syslog receiver: datagrams that the kernel dropped are counted", "[syslog]") {
  Bed bed(Udp());
  const Client client(bed.receiver->port(), SOCK_DGRAM);
  const std::string text = Message(std::string(7000, 'x'));
  for (int i = 0; i < 3000; ++i)
    client.Send(text);
  // The next one to come in says how many did not.
  const auto read_all = [&] {
    const std::size_t before = bed.lines.size();
    bed.loop.RunOnce();
    bed.Take();
    return bed.lines.size() == before;
  };
  while (!read_all()) {
  }
  client.Send(Message("last"));
  bed.RunUntil([&] {
    bed.Take();
    return bed.lines.back() == "last";
  });

  CHECK(bed.Metric("agent_syslog_datagrams_dropped_total j") ==
        static_cast<double>(3001 - bed.lines.size()));
}

TEST_CASE("syslog receiver: messages wait for the name of their sender", "[syslog]") {
  const bool udp = GENERATE(false, true);
  CAPTURE(udp);
  Bed bed(udp ? Udp() : SyslogConfig(), [](const std::string& ip) { return "name-of-" + ip; });
  const Client client(bed.receiver->port(), udp ? SOCK_DGRAM : SOCK_STREAM);
  for (int i = 0; i < 3; ++i)
    client.Send(Counted(std::to_string(i)));

  CHECK(bed.WaitForLines(3) == Lines{"0", "1", "2"});
  CHECK(bed.labels == Lines(3, R"({host="name-of-127.0.0.1"})"));
}

TEST_CASE("syslog receiver: a port that is taken is reported, and tried again", "[syslog]") {
  const bool udp = GENERATE(false, true);
  CAPTURE(udp);
  UniqueFd taken(::socket(AF_INET, udp ? SOCK_DGRAM : SOCK_STREAM, 0));
  sockaddr_in address = Loopback(0);
  socklen_t size = sizeof address;
  REQUIRE(::bind(taken.get(), reinterpret_cast<sockaddr*>(&address), size) == 0);
  if (!udp) REQUIRE(::listen(taken.get(), 1) == 0);
  ::getsockname(taken.get(), reinterpret_cast<sockaddr*>(&address), &size);
  SyslogConfig config = udp ? Udp() : SyslogConfig();
  config.listen_port = ntohs(address.sin_port);
  Bed bed(config);

  CHECK_THAT(bed.receiver->Status()[0].error, Catch::Contains("Address already in use"));
  CHECK(bed.receiver->port() == 0);
  taken.Reset();
  bed.RunUntil([&] { return bed.receiver->port() != 0; });

  CHECK(bed.receiver->Status()[0].error.empty());
  CHECK_THAT(bed.receiver->Status()[0].state, Catch::StartsWith("listening on port "));
}

}  // namespace agent
