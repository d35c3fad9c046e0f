// Stands in for Loki, Elasticsearch and Logstash in the benchmark: takes every push with 204, every
// bulk request (gzip, or not compressed) as stored, every lumberjack window (in one compressed
// frame) with an acknowledgement, and counts. Loki's answer goes out before the request is decoded,
// so that counting does not hold up the sender.
//
//   bench_sink LINES    listens on a free port of loopback and prints it; LINES is how many will
//   come
//
// GET /refuse makes it refuse everything with 503, until GET /accept. GET /stats gives {"first_ns",
// "requests", "wire_bytes", "entries", "distinct", "repeated", "bad"} as JSON: `first_ns` is when
// the first push came, by the monotonic clock; `distinct` and `repeated` go by the number behind
// `n=` in each line.

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <snappy.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cctype>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <iostream>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include <zlib.h>

namespace {

// A protobuf message that has varints and byte strings only.
class Message {
 public:
  explicit Message(std::string_view data) : rest_(data) {}

  // False: at the end, or broken (see ok()).
  bool Next(uint64_t& field, std::string_view& bytes) {
    while (!rest_.empty()) {
      uint64_t key = 0;
      uint64_t value = 0;
      if (!Varint(key) || !Varint(value)) return Fail();
      if ((key & 7) == 0) continue;
      if ((key & 7) != 2 || value > rest_.size()) return Fail();
      field = key >> 3;
      bytes = rest_.substr(0, value);
      rest_.remove_prefix(value);
      return true;
    }
    return false;
  }
  [[nodiscard]] bool ok() const { return ok_; }

 private:
  bool Fail() {
    ok_ = false;
    return false;
  }
  bool Varint(uint64_t& value) {
    for (unsigned shift = 0; shift < 64 && !rest_.empty(); shift += 7) {
      const auto byte = static_cast<unsigned char>(rest_.front());
      rest_.remove_prefix(1);
      value |= static_cast<uint64_t>(byte & 0x7F) << shift;
      if (byte < 0x80) return true;
    }
    return false;
  }

  std::string_view rest_;
  bool ok_ = true;
};

uint32_t BigEndian(std::string_view bytes) {
  uint32_t number = 0;
  for (std::size_t i = 0; i < 4; ++i)
    number = number << 8 | static_cast<unsigned char>(bytes[i]);
  return number;
}

class Counts {
 public:
  explicit Counts(std::size_t lines) : seen_(lines) {}

  void Refuse(bool all) { refusing_ = all; }
  [[nodiscard]] bool refusing() const { return refusing_; }

  // As soon as it is read.
  void NoteRequest() {
    const auto now = std::chrono::steady_clock::now().time_since_epoch();
    int64_t none = 0;
    first_ns_.compare_exchange_strong(none, std::chrono::nanoseconds(now).count());
  }

  void AddRequest(std::string_view body) {
    std::string raw;
    const bool whole = snappy::Uncompress(body.data(), body.size(), &raw);
    const std::lock_guard<std::mutex> lock(mutex_);
    ++requests_;
    wire_bytes_ += body.size();
    if (!whole || !AddStreams(raw)) ++bad_;
  }

  // Actions and documents. Returns how many documents there are.
  std::size_t AddBulk(std::string_view body, std::string_view raw) {
    const std::lock_guard<std::mutex> lock(mutex_);
    ++requests_;
    wire_bytes_ += body.size();
    std::size_t documents = 0;
    for (bool action = true; !raw.empty(); action = !action) {
      const std::size_t end = raw.find('\n');
      if (end == std::string_view::npos) {
        ++bad_;
        break;
      }
      if (!action) {
        AddLine(raw.substr(0, end));
        ++documents;
      }
      raw.remove_prefix(end + 1);
    }
    return documents;
  }

  // Lumberjack's frames of events. False: there are not so many.
  bool AddWindow(std::size_t wire_bytes, std::string_view raw, uint32_t events) {
    constexpr std::size_t kHeader = 10;
    const std::lock_guard<std::mutex> lock(mutex_);
    ++requests_;
    wire_bytes_ += wire_bytes;
    for (; raw.size() >= kHeader && raw.starts_with("2J"); --events) {
      const std::size_t size = BigEndian(raw.substr(6));
      if (size > raw.size() - kHeader) break;
      AddLine(raw.substr(kHeader, size));
      raw.remove_prefix(kHeader + size);
    }
    if (raw.empty() && events == 0) return true;
    ++bad_;
    return false;
  }

  std::string Json() {
    const std::lock_guard<std::mutex> lock(mutex_);
    return R"({"first_ns": )" + std::to_string(first_ns_.load()) + R"(, "requests": )" +
           std::to_string(requests_) + R"(, "wire_bytes": )" + std::to_string(wire_bytes_) +
           R"(, "entries": )" + std::to_string(entries_) + R"(, "distinct": )" +
           std::to_string(distinct_) + R"(, "repeated": )" + std::to_string(repeated_) +
           R"(, "bad": )" + std::to_string(bad_) + "}\n";
  }

 private:
  bool AddStreams(std::string_view raw) {
    Message request(raw);
    uint64_t field = 0;
    std::string_view stream_bytes;
    while (request.Next(field, stream_bytes)) {
      Message stream(stream_bytes);
      std::string_view entry_bytes;
      while (stream.Next(field, entry_bytes)) {
        if (field == 2 && !AddEntry(entry_bytes)) return false;
      }
      if (!stream.ok()) return false;
    }
    return request.ok();
  }

  bool AddEntry(std::string_view bytes) {
    Message entry(bytes);
    uint64_t field = 0;
    std::string_view value;
    while (entry.Next(field, value)) {
      if (field == 2) AddLine(value);
    }
    return entry.ok();
  }

  void AddLine(std::string_view line) {
    ++entries_;
    // An entry that was put together has a number for each of its lines.
    constexpr std::string_view kMark = "n=";
    std::size_t at = line.find(kMark);
    for (; at != std::string_view::npos; at = line.find(kMark, at))
      AddNumber(line.substr(at += kMark.size(), 9));
  }

  void AddNumber(std::string_view digits) {
    std::size_t number = 0;
    for (const char c : digits) {
      if (c < '0' || c > '9') return;
      number = number * 10 + static_cast<std::size_t>(c - '0');
    }
    if (number >= seen_.size()) return;
    if (seen_[number]) {
      ++repeated_;
    } else {
      seen_[number] = true;
      ++distinct_;
    }
  }

  std::atomic<bool> refusing_{false};
  std::atomic<int64_t> first_ns_{0};  // Of the monotonic clock.
  std::mutex mutex_;
  std::vector<bool> seen_;
  uint64_t requests_ = 0;
  uint64_t wire_bytes_ = 0;
  uint64_t entries_ = 0;
  uint64_t distinct_ = 0;
  uint64_t repeated_ = 0;
  uint64_t bad_ = 0;
};

// Of one stream, gzip's or zlib's.
std::string Inflated(std::string_view body) {
  std::string raw(body.size() * 20, '\0');
  z_stream stream{};
  inflateInit2(&stream, 15 + 32);
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(body.data()));
  stream.avail_in = static_cast<uInt>(body.size());
  int result = Z_OK;
  while (result == Z_OK) {
    if (stream.total_out == raw.size()) raw.resize(raw.size() * 2);
    stream.next_out = reinterpret_cast<Bytef*>(raw.data()) + stream.total_out;
    stream.avail_out = static_cast<uInt>(raw.size() - stream.total_out);
    result = inflate(&stream, Z_NO_FLUSH);
  }
  raw.resize(stream.total_out);
  inflateEnd(&stream);
  return raw;
}

// What is not compressed stays as it is.
std::string Gunzipped(std::string_view body) {
  return body.starts_with("\x1f\x8b") ? Inflated(body) : std::string(body);
}

std::string BulkAnswer(std::size_t documents) {
  std::string body = R"({"errors":false,"items":[)";
  for (std::size_t i = 0; i < documents; ++i) {
    body += i > 0 ? R"(,{"create":{"status":201}})" : R"({"create":{"status":201}})";
  }
  body += "]}";
  return "HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
}

bool SendAll(int fd, std::string_view text) {
  while (!text.empty()) {
    const ssize_t sent = send(fd, text.data(), text.size(), MSG_NOSIGNAL);
    if (sent <= 0) return false;
    text.remove_prefix(static_cast<std::size_t>(sent));
  }
  return true;
}

bool ReceiveMore(int fd, std::string& input) {
  constexpr std::size_t kStep = 256 << 10;
  const std::size_t had = input.size();
  input.resize(had + kStep);
  const ssize_t got = recv(fd, input.data() + had, kStep, 0);
  input.resize(had + (got > 0 ? static_cast<std::size_t>(got) : 0));
  return got > 0;
}

std::size_t ContentLength(std::string head) {
  std::transform(head.begin(), head.end(), head.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  const std::string_view name = "\r\ncontent-length:";
  const std::size_t at = head.find(name);
  return at == std::string::npos ? 0 : std::strtoull(head.c_str() + at + name.size(), nullptr, 10);
}

// Reads until the whole request is in `input`; `head` is the size of its head, `body` of what
// follows. False: the other side has ended.
bool ReceiveRequest(int fd, std::string& input, std::size_t& head, std::size_t& body) {
  while ((head = input.find("\r\n\r\n")) == std::string::npos) {
    if (!ReceiveMore(fd, input)) return false;
  }
  head += 4;
  body = ContentLength(input.substr(0, head));
  while (input.size() < head + body) {
    if (!ReceiveMore(fd, input)) return false;
  }
  return true;
}

// The same for lumberjack: window after window, each in one compressed frame.
void ServeLumberjack(int fd, std::string& input, Counts& counts) {
  constexpr std::size_t kHead = 12;
  const auto receive = [&](std::size_t size) {
    while (input.size() < size) {
      if (!ReceiveMore(fd, input)) return false;
    }
    return true;
  };
  while (receive(kHead) && input.starts_with("2W") && input.substr(6, 2) == "2C") {
    const std::size_t size = BigEndian(input.substr(8, 4));
    if (!receive(kHead + size)) break;
    counts.NoteRequest();
    const std::string_view window = input;
    const uint32_t events = BigEndian(window.substr(2));
    if (!counts.AddWindow(kHead + size, Inflated(window.substr(kHead, size)), events)) break;
    SendAll(fd, "2A" + input.substr(2, 4));
    input.erase(0, kHead + size);
  }
}

// One connection, request after request, until the other side ends it.
void Serve(int fd, Counts& counts) {
  std::string input;
  while (input.size() < 2 && ReceiveMore(fd, input)) {
  }
  if (input.starts_with("2W")) ServeLumberjack(fd, input, counts);
  std::size_t head = 0;
  std::size_t body = 0;
  while (ReceiveRequest(fd, input, head, body)) {
    if (input.starts_with("GET /refuse") || input.starts_with("GET /accept"))
      counts.Refuse(input.starts_with("GET /refuse"));
    if (input.starts_with("GET ")) {
      const std::string json = counts.Json();
      SendAll(fd, "HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(json.size()) + "\r\n\r\n" +
                      json);
    } else if (counts.refusing()) {
      SendAll(fd, "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n");
    } else if (input.substr(0, input.find('\r')).find("/_bulk") != std::string::npos) {
      counts.NoteRequest();
      const std::string_view request = std::string_view(input).substr(head, body);
      SendAll(fd, BulkAnswer(counts.AddBulk(request, Gunzipped(request))));
    } else {
      counts.NoteRequest();
      SendAll(fd, "HTTP/1.1 204 No Content\r\n\r\n");
      const std::string_view request = input;
      counts.AddRequest(request.substr(head, body));
    }
    input.erase(0, head + body);
  }
  close(fd);
}

int Listen() {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  auto* const generic = reinterpret_cast<sockaddr*>(&address);
  if (fd < 0 || bind(fd, generic, size) != 0 || listen(fd, 64) != 0 ||
      getsockname(fd, generic, &size) != 0) {
    std::perror("listen");
    return -1;
  }
  std::cout << ntohs(address.sin_port) << std::endl;
  return fd;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::cerr << "usage: bench_sink LINES\n";
    return 2;
  }
  Counts counts(std::strtoull(argv[1], nullptr, 10));
  const int listener = Listen();
  if (listener < 0) return 1;
  while (true) {
    const int fd = accept4(listener, nullptr, nullptr, SOCK_CLOEXEC);
    if (fd < 0) continue;
    const int on = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    std::thread(Serve, fd, std::ref(counts)).detach();
  }
}
