// Writes a log file for the benchmark: the same bytes for the same arguments, on any machine.
//
//   bench_gen plain|docker|cri|logfmt|nginx|multiline MEGABYTES FILE
//
// Every line has `n=` and its number in nine digits, so that a receiver can tell what came. Prints
// the number of lines and bytes as JSON.

#include <array>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <iostream>
#include <string>
#include <string_view>

namespace {

// A small generator that does not depend on a library's choices.
class Dice {
 public:
  uint64_t Next() {
    state_ ^= state_ << 13;
    state_ ^= state_ >> 7;
    state_ ^= state_ << 17;
    return state_;
  }
  // 0 .. sides-1.
  std::size_t Roll(std::size_t sides) { return static_cast<std::size_t>((Next() >> 20) % sides); }
  template <std::size_t N>
  std::string_view Pick(const std::array<std::string_view, N>& choices) {
    return choices[Roll(N)];
  }

 private:
  uint64_t state_ = 0x2545F4914F6CDD1D;
};

constexpr std::array<std::string_view, 10> kLevels = {"info", "info",  "info",    "info", "info",
                                                      "info", "debug", "warning", "info", "error"};
constexpr std::array<std::string_view, 4> kModules = {"gateway.access", "gateway.auth",
                                                      "model.runner", "store.sql"};
constexpr std::array<std::string_view, 4> kMethods = {"GET", "GET", "POST", "DELETE"};
constexpr std::array<std::string_view, 5> kPaths = {
    "/v1/predict", "/v1/models/resnet50", "/v1/users/self", "/v2/embeddings", "/static/app.js"};
constexpr std::array<std::string_view, 3> kBrowsers = {
    "Mozilla/5.0 (X11; Linux x86_64; rv:118.0) Gecko/20100101 Firefox/118.0", "curl/8.4.0",
    "python-requests/2.31 (cluster health check)"};
constexpr std::array<std::string_view, 4> kExceptions = {
    "java.lang.IllegalStateException: connection is closed",
    "java.net.SocketTimeoutException: Read timed out",
    "java.util.concurrent.RejectedExecutionException: queue is full",
    "org.example.store.ConflictException: row was updated by another transaction"};
constexpr std::array<std::string_view, 6> kFrames = {
    "org.example.gateway.http.RequestHandler.handle(RequestHandler.java:",
    "org.example.gateway.auth.TokenFilter.doFilter(TokenFilter.java:",
    "org.example.store.sql.ConnectionPool.borrow(ConnectionPool.java:",
    "java.base/java.util.concurrent.ThreadPoolExecutor.runWorker(ThreadPoolExecutor.java:",
    "java.base/java.util.ArrayList.forEach(ArrayList.java:",
    "io.netty.channel.AbstractChannelHandlerContext.invokeChannelRead(Context.java:"};
constexpr std::array<std::string_view, 3> kStatus = {"200", "404", "500"};

std::string Digits(uint64_t value, int width) {
  std::string text = std::to_string(value);
  const std::size_t wanted = static_cast<std::size_t>(width);
  if (text.size() < wanted) text.insert(0, wanted - text.size(), '0');
  return text;
}

std::string Hex(uint64_t value) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text;
  for (int shift = 60; shift >= 0; shift -= 4)
    text += kDigits[(value >> shift) & 15];
  return text;
}

// The time of a line: a quarter of a millisecond after the one before.
class Ticker {
 public:
  void Advance() {
    nanos_ += 250'000;
    if (nanos_ >= 1'000'000'000) {
      nanos_ -= 1'000'000'000;
      ++seconds_;
    }
  }
  // RFC 3339 with `digits` of the fraction.
  [[nodiscard]] std::string Rfc3339(std::size_t digits) const {
    const std::tm parts = Parts();
    std::array<char, 64> text{};
    const std::size_t size = std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%S.", &parts);
    return std::string(text.data(), size) +
           Digits(static_cast<uint64_t>(nanos_), 9).substr(0, digits) + "Z";
  }
  // As web servers write it.
  [[nodiscard]] std::string Clf() const {
    const std::tm parts = Parts();
    std::array<char, 64> text{};
    return {text.data(),
            std::strftime(text.data(), text.size(), "%d/%b/%Y:%H:%M:%S +0000", &parts)};
  }

 private:
  [[nodiscard]] std::tm Parts() const {
    std::tm parts{};
    gmtime_r(&seconds_, &parts);
    return parts;
  }

  std::time_t seconds_ = 1'767'225'600;  // 2026-01-01
  int64_t nanos_ = 0;
};

struct Writer {
  Dice dice;
  Ticker ticker;

  std::string Plain(uint64_t number) {
    std::string line = ticker.Rfc3339(6) + " " + std::string(dice.Pick(kLevels)) + " [" +
                       std::string(dice.Pick(kModules)) + "] n=" + Digits(number, 9) + " " +
                       std::string(dice.Pick(kMethods)) + " " + std::string(dice.Pick(kPaths)) +
                       " status=" + std::string(dice.Pick(kStatus)) +
                       " took=" + std::to_string(dice.Roll(9000)) + "us trace=" + Hex(dice.Next()) +
                       Hex(dice.Next());
    while (line.size() < 180)
      line += " upstream=10.0.0." + std::to_string(dice.Roll(250));
    return line;
  }

  // What an inference gateway logs, a JSON object. `error`: whether it goes to standard error.
  std::string Application(uint64_t number, bool& error) {
    const std::string_view level = dice.Pick(kLevels);
    error = level == "error";
    std::string message = std::string(dice.Pick(kMethods)) + " " + std::string(dice.Pick(kPaths)) +
                          " n=" + Digits(number, 9);
    switch (dice.Roll(20)) {
      case 0:
      case 1:
        message += " mail to user" + std::to_string(dice.Roll(9999)) + "@example.org";
        break;
      case 2:
        message += R"( said \"no\" in C:\\tmp)";
        break;
      case 3:
        message += " gr\u00fc\u00dfe \u6771\u4eac";
        break;
      default:
        break;
    }
    const std::string user = std::to_string(10'000 + dice.Roll(90'000));
    const std::string trace = Hex(dice.Next()) + Hex(dice.Next());
    return R"({"time":")" + ticker.Rfc3339(6) + R"(","level":")" + std::string(level) +
           R"(","logger":")" + std::string(dice.Pick(kModules)) +
           R"(","event":"http_request","message":")" + message + R"(","trace_id":")" + trace +
           R"(","status_code":)" + std::string(dice.Pick(kStatus)) + R"(,"latency_ms":)" +
           std::to_string(dice.Roll(500)) + "." + std::to_string(dice.Roll(10)) +
           R"(,"model_name":"resnet50","user_id":")" + user + R"("})";
  }

  std::string Docker(uint64_t number) {
    bool error = false;
    std::string escaped;
    for (const char c : Application(number, error)) {
      if (c == '"' || c == '\\') escaped += '\\';
      escaped += c;
    }
    return R"({"log":")" + escaped + R"(\n","stream":")" + (error ? "stderr" : "stdout") +
           R"(","time":")" + ticker.Rfc3339(9) + R"("})";
  }

  std::string Cri(uint64_t number) {
    bool error = false;
    const std::string text = Application(number, error);
    return ticker.Rfc3339(9) + (error ? " stderr F " : " stdout F ") + text;
  }

  std::string Logfmt(uint64_t number) {
    return "ts=" + ticker.Rfc3339(6) + " level=" + std::string(dice.Pick(kLevels)) +
           " caller=" + std::string(dice.Pick(kModules)) + ".go:" + std::to_string(dice.Roll(900)) +
           " msg=\"" + std::string(dice.Pick(kMethods)) + " " + std::string(dice.Pick(kPaths)) +
           " n=" + Digits(number, 9) + "\" status=" + std::string(dice.Pick(kStatus)) +
           " took=" + std::to_string(dice.Roll(500)) + "." + std::to_string(dice.Roll(10)) +
           "ms traceID=" + Hex(dice.Next()) + Hex(dice.Next()) + " tenant=team-" +
           std::to_string(dice.Roll(40));
  }

  std::string Nginx(uint64_t number) {
    return "10.1." + std::to_string(dice.Roll(256)) + "." + std::to_string(dice.Roll(256)) +
           " - - [" + ticker.Clf() + "] \"" + std::string(dice.Pick(kMethods)) + " " +
           std::string(dice.Pick(kPaths)) + "?n=" + Digits(number, 9) + " HTTP/1.1\" " +
           std::string(dice.Pick(kStatus)) + " " + std::to_string(dice.Roll(50'000)) +
           " \"https://www.example.org/list?page=" + std::to_string(dice.Roll(40)) + "\" \"" +
           std::string(dice.Pick(kBrowsers)) + "\"";
  }

  // What a service in Java logs: one to six lines an entry.
  std::string Multiline(uint64_t number) {
    const std::string id = " n=" + Digits(number, 9);
    if (frames_left > 0) {
      --frames_left;
      if (begins_trace) {
        begins_trace = false;
        return std::string(dice.Pick(kExceptions)) + id;
      }
      return "\tat " + std::string(dice.Pick(kFrames)) + std::to_string(dice.Roll(2000)) + ")" + id;
    }
    frames_left = dice.Roll(6);
    begins_trace = frames_left > 0;
    return ticker.Rfc3339(3) + (begins_trace ? " ERROR" : " INFO ") + " [worker-" +
           std::to_string(dice.Roll(32)) + "] org.example." + std::string(dice.Pick(kModules)) +
           " -" + id + " " + std::string(dice.Pick(kMethods)) + " " +
           std::string(dice.Pick(kPaths)) + " status=" + std::string(dice.Pick(kStatus)) +
           " trace=" + Hex(dice.Next());
  }

  std::size_t frames_left = 0;
  bool begins_trace = false;
};

using MakeLine = std::string (Writer::*)(uint64_t);

MakeLine Format(std::string_view name) {
  if (name == "plain") return &Writer::Plain;
  if (name == "docker") return &Writer::Docker;
  if (name == "cri") return &Writer::Cri;
  if (name == "logfmt") return &Writer::Logfmt;
  if (name == "nginx") return &Writer::Nginx;
  if (name == "multiline") return &Writer::Multiline;
  return nullptr;
}

}  // namespace

int main(int argc, char** argv) {
  const MakeLine make = argc == 4 ? Format(argv[1]) : nullptr;
  const uint64_t wanted = make != nullptr ? std::strtoull(argv[2], nullptr, 10) * 1'000'000 : 0;
  if (wanted == 0) {
    std::cerr << "usage: bench_gen plain|docker|cri|logfmt|nginx|multiline MEGABYTES FILE\n";
    return 2;
  }
  std::FILE* file = std::fopen(argv[3], "wb");
  if (file == nullptr) {
    std::perror(argv[3]);
    return 1;
  }
  Writer writer;
  uint64_t lines = 0;
  uint64_t bytes = 0;
  while (bytes < wanted) {
    writer.ticker.Advance();
    const std::string line = (writer.*make)(lines) + "\n";
    if (std::fwrite(line.data(), 1, line.size(), file) != line.size()) break;
    ++lines;
    bytes += line.size();
  }
  if (std::ferror(file) != 0 || std::fclose(file) != 0) {
    std::perror(argv[3]);
    return 1;
  }
  std::cout << R"({"lines": )" << lines << R"(, "bytes": )" << bytes << "}\n";
  return 0;
}
