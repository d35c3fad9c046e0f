#include "pipeline/json/json_writer.h"

#include <algorithm>
#include <cmath>
#include <vector>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

#include "base/utf8.h"

namespace agent {
namespace {

constexpr char kHex[] = "0123456789abcdef";

bool IsPlain(unsigned char c) {
  return c >= 0x20 && c < 0x80 && c != '"' && c != '\\' && c != '<' && c != '>' && c != '&';
}

// The first byte at or after `p` that is not plain. The text needs no padding.
const char* SkipPlain(const char* p, const char* end) {
#if defined(__SSE2__)
  const __m128i space = _mm_set1_epi8(0x20);
  const __m128i quote = _mm_set1_epi8('"');
  const __m128i backslash = _mm_set1_epi8('\\');
  const __m128i less = _mm_set1_epi8('<');
  const __m128i greater = _mm_set1_epi8('>');
  const __m128i ampersand = _mm_set1_epi8('&');
  for (; end - p >= 16; p += 16) {
    const __m128i text = _mm_loadu_si128(reinterpret_cast<const __m128i*>(p));
    // Signed, so that bytes above 0x7F count as less than a space, too.
    __m128i special = _mm_cmplt_epi8(text, space);
    special = _mm_or_si128(special, _mm_cmpeq_epi8(text, quote));
    special = _mm_or_si128(special, _mm_cmpeq_epi8(text, backslash));
    special = _mm_or_si128(special, _mm_cmpeq_epi8(text, less));
    special = _mm_or_si128(special, _mm_cmpeq_epi8(text, greater));
    special = _mm_or_si128(special, _mm_cmpeq_epi8(text, ampersand));
    const auto mask = static_cast<unsigned>(_mm_movemask_epi8(special));
    if (mask != 0) return p + __builtin_ctz(mask);
  }
#endif
  while (p < end && IsPlain(static_cast<unsigned char>(*p)))
    ++p;
  return p;
}

void AppendEscaped(unsigned char c, std::string& out) {
  switch (c) {
    case '"':
    case '\\':
      out += '\\';
      out += static_cast<char>(c);
      break;
    case '\n':
      out += "\\n";
      break;
    case '\r':
      out += "\\r";
      break;
    case '\t':
      out += "\\t";
      break;
    default:
      out += "\\u00";
      out += kHex[c >> 4];
      out += kHex[c & 0xF];
  }
}

bool IsContinuation(char c) {
  return (static_cast<unsigned char>(c) & 0xC0) == 0x80;
}

// After the characters beyond ASCII at `p` that stand as they are: well-formed, and neither U+2028
// nor U+2029.
const char* SkipBeyondAscii(const char* p, const char* end) {
  while (p < end) {
    const auto c = static_cast<unsigned char>(*p);
    if (c < 0x80) return p;
    // Most letters of Europe and Asia: no byte after these can make anything special of them.
    if (c >= 0xC2 && c < 0xE0 && end - p >= 2 && IsContinuation(p[1])) {
      p += 2;
      continue;
    }
    if (c >= 0xE3 && c < 0xED && end - p >= 3 && IsContinuation(p[1]) && IsContinuation(p[2])) {
      p += 3;
      continue;
    }
    const DecodedRune rune = DecodeRune({p, static_cast<std::size_t>(end - p)});
    if (!rune.valid || rune.rune == 0x2028 || rune.rune == 0x2029) return p;
    p += rune.size;
  }
  return p;
}

// Appends the escape of the first character of the text; returns its bytes.
std::size_t AppendEscapedRune(std::string_view text, std::string& out) {
  const DecodedRune rune = DecodeRune(text);
  if (!rune.valid) {
    out += "\\ufffd";
  } else if (rune.rune >= 0x80) {
    out += rune.rune == 0x2028 ? "\\u2028" : "\\u2029";
  } else {
    AppendEscaped(static_cast<unsigned char>(text[0]), out);
  }
  return rune.size;
}

// Writes a tree without recursion: what is open is on a stack of its own.
class Writer {
 public:
  Writer(ExponentForm form, std::size_t limit, std::string& out)
      : form_(form), limit_(limit), out_(out) {}

  bool Write(const JsonNode& root) {
    if (!Begin(root)) return false;
    while (!open_.empty()) {
      if (out_.size() > limit_) return false;
      Container& container = open_.back();
      if (container.next == container.count) {
        out_ += container.node->type == JsonType::kArray ? ']' : '}';
        open_.pop_back();
        continue;
      }
      if (container.next > 0) out_ += ',';
      if (!Begin(Next(container))) return false;
    }
    return out_.size() <= limit_;
  }

 private:
  struct Container {
    const JsonNode* node;
    std::vector<JsonMember> sorted;  // Of an object.
    std::size_t count;
    std::size_t next = 0;
  };

  const JsonNode& Next(Container& container) {
    const std::size_t i = container.next++;
    if (container.node->type == JsonType::kArray) return *container.node->items[i];
    AppendJsonString(container.sorted[i].key, out_);
    out_ += ':';
    return *container.sorted[i].value;
  }

  // A scalar, or the opening of a container.
  bool Begin(const JsonNode& node) {
    switch (node.type) {
      case JsonType::kNull:
        out_ += "null";
        return true;
      case JsonType::kBool:
        out_ += node.boolean ? "true" : "false";
        return true;
      case JsonType::kNumber:
        if (!std::isfinite(node.number)) return false;
        AppendJsonNumber(node.number, form_, out_);
        return true;
      case JsonType::kString:
        AppendJsonString(node.text, out_);
        return true;
      case JsonType::kArray:
        out_ += '[';
        open_.push_back({&node, {}, node.items.size()});
        return true;
      case JsonType::kObject:
        break;
    }
    out_ += '{';
    Container object{&node, {node.members.begin(), node.members.end()}, node.members.size()};
    std::sort(object.sorted.begin(), object.sorted.end(),
              [](const JsonMember& a, const JsonMember& b) { return a.key < b.key; });
    open_.push_back(std::move(object));
    return true;
  }

  const ExponentForm form_;
  const std::size_t limit_;
  std::string& out_;
  std::vector<Container> open_;
};

}  // namespace

void AppendJsonString(std::string_view text, std::string& out) {
  out += '"';
  const char* const end = text.data() + text.size();
  const char* kept = text.data();  // What stands as it is and is not yet appended.
  for (const char* p = kept; (p = SkipPlain(p, end)) != end;) {
    if (static_cast<unsigned char>(*p) >= 0x80) {
      const char* const next = SkipBeyondAscii(p, end);
      if (next != p) {
        p = next;
        continue;
      }
    }
    out.append(kept, static_cast<std::size_t>(p - kept));
    p += AppendEscapedRune({p, static_cast<std::size_t>(end - p)}, out);
    kept = p;
  }
  out.append(kept, static_cast<std::size_t>(end - kept));
  out += '"';
}

bool AppendJson(const JsonNode& node, ExponentForm form, std::size_t max_bytes, std::string& out) {
  const std::size_t before = out.size();
  if (Writer(form, before + max_bytes, out).Write(node)) return true;
  out.resize(before);
  return false;
}

}  // namespace agent
