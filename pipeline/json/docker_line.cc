#include "pipeline/json/docker_line.h"

#include <cstddef>

#include "pipeline/json/json_strings.h"

namespace agent {
namespace {

constexpr std::string_view kBegin = R"({"log":")";
constexpr std::string_view kStream = R"(","stream":"std)";
constexpr std::string_view kTime = R"(","time":")";
constexpr std::string_view kAttrs = R"(","attrs":{)";
constexpr std::string_view kTimeAfterAttrs = R"(,"time":")";

// Reads on from a place in a line, as long as it is what is expected.
class Expect {
 public:
  Expect(const char* p, const char* end) : p_(p), end_(end) {}

  bool Text(std::string_view text) {
    if (static_cast<std::size_t>(end_ - p_) < text.size()) return false;
    if (std::memcmp(p_, text.data(), text.size()) != 0) return false;
    p_ += text.size();
    return true;
  }
  bool Char(char c) {
    if (p_ >= end_ || *p_ != c) return false;
    ++p_;
    return true;
  }
  // The inside of a string without escapes, after its opening quote; stops at the closing one.
  bool Plain(std::string_view& out) {
    const char* quote = FindStringSpecial(p_, end_);
    if (quote >= end_ || *quote != '"') return false;
    out = std::string_view(p_, static_cast<std::size_t>(quote - p_));
    p_ = quote;
    return true;
  }
  // `"key":"value","key":"value"}`, all plain.
  bool Attributes() {
    std::string_view ignored;
    do {
      if (!Char('"') || !Plain(ignored) || !Text("\":\"") || !Plain(ignored) || !Char('"')) {
        return false;
      }
    } while (Char(','));
    return Char('}');
  }
  [[nodiscard]] bool AtEnd() const { return p_ == end_; }

 private:
  const char* p_;
  const char* const end_;
};

}  // namespace

bool DockerUnwrapper::Unwrap(std::string_view line, Arena& arena, DockerLine& out) const {
  if (!line.starts_with(kBegin)) return false;
  const char* const end = line.data() + line.size();
  char* const text = arena.Allocate(line.size());
  const Unescaped log = unescape_(line.data() + kBegin.size(), end, text);
  if (log.quote == nullptr) {
    arena.Shrink(line.size(), 0);
    return false;
  }
  arena.Shrink(line.size(), log.size);
  out.log = std::string_view(text, log.size);

  Expect rest(log.quote, end);
  const char* const stream = log.quote + kStream.size() - 3;
  if (!rest.Text(kStream) || !(rest.Text("out") || rest.Text("err"))) return false;
  out.stream = std::string_view(stream, 6);
  if (!rest.Text(kTime)) {
    if (!rest.Text(kAttrs) || !rest.Attributes() || !rest.Text(kTimeAfterAttrs)) return false;
  }
  return rest.Plain(out.time) && rest.Text("\"}") && rest.AtEnd();
}

}  // namespace agent
