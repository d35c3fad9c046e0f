// How far the log of a container has got, read through the API: of each stream the time of the last
// entry, and how many entries in a row have that time. The daemon's filter knows times alone.

#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

namespace agent {

struct DockerCursor {
  struct Stream {
    int64_t time_ns = 0;  // 0: nothing yet.
    uint32_t same = 0;    // Entries in a row with that time.
    bool operator==(const Stream&) const = default;
  };
  Stream out;
  Stream err;

  // Notes the next entry of a stream.
  void Pass(bool is_err, int64_t time_ns);
  // Where to ask for the log from: nothing that is not passed is older. 0: from its beginning.
  [[nodiscard]] int64_t SinceNanos() const;
  // The latest of both, in whole seconds: what Promtail keeps.
  [[nodiscard]] int64_t Seconds() const;

  // "SECONDS.NANOS+SAME SECONDS.NANOS+SAME".
  [[nodiscard]] std::string Text() const;
  // Also of Promtail's whole seconds. Nothing for anything else.
  static DockerCursor Parse(std::string_view text);

  bool operator==(const DockerCursor&) const = default;
};

// Leaves out what a cursor has passed.
class DockerSkip {
 public:
  explicit DockerSkip(const DockerCursor& passed) : passed_(passed) {}
  bool IsPassed(bool is_err, int64_t time_ns);

 private:
  DockerCursor passed_;
  DockerCursor seen_;
};

}  // namespace agent
