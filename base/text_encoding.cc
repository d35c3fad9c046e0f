#include "base/text_encoding.h"

#include <iconv.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

namespace agent {
namespace {

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";
constexpr std::size_t kMaxNameBytes = 64;

std::string Upper(std::string_view name) {
  std::string upper(name);
  for (char& c : upper) {
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  }
  return upper;
}

bool IsUtf16(const std::string& upper) {
  return upper == "UTF-16" || upper == "UTF-16LE" || upper == "UTF-16BE";
}

// iconv would take "//TRANSLIT" and file names, too.
bool IsName(std::string_view name) {
  const auto is_part = [](char c) {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_' || c == '.' || c == ':' || c == '+';
  };
  return !name.empty() && name.size() <= kMaxNameBytes &&
         std::all_of(name.begin(), name.end(), is_part);
}

void AppendUtf8(uint32_t rune, std::string& out) {
  if (rune < 0x80) {
    out += static_cast<char>(rune);
  } else if (rune < 0x800) {
    out += static_cast<char>(0xC0U | rune >> 6U);
    out += static_cast<char>(0x80U | (rune & 0x3FU));
  } else if (rune < 0x10000) {
    out += static_cast<char>(0xE0U | rune >> 12U);
    out += static_cast<char>(0x80U | (rune >> 6U & 0x3FU));
    out += static_cast<char>(0x80U | (rune & 0x3FU));
  } else {
    out += static_cast<char>(0xF0U | rune >> 18U);
    out += static_cast<char>(0x80U | (rune >> 12U & 0x3FU));
    out += static_cast<char>(0x80U | (rune >> 6U & 0x3FU));
    out += static_cast<char>(0x80U | (rune & 0x3FU));
  }
}

}  // namespace

struct TextEncoding::Converter {
  explicit Converter(const std::string& name) : handle(::iconv_open("UTF-8", name.c_str())) {}
  Converter(const Converter&) = delete;
  Converter& operator=(const Converter&) = delete;
  ~Converter() {
    if (valid()) ::iconv_close(handle);
  }
  // iconv says (iconv_t)-1.
  [[nodiscard]] bool valid() const {
    return reinterpret_cast<intptr_t>(handle) != -1;  // NOLINT(performance-no-int-to-ptr)
  }

  void Decode(std::string_view text, std::string& out) const {
    ::iconv(handle, nullptr, nullptr, nullptr, nullptr);  // Each line by itself.
    char* in = const_cast<char*>(text.data());            // iconv's interface is older than const.
    std::size_t in_left = text.size();
    std::array<char, 4096> piece{};
    while (in_left > 0) {
      char* to = piece.data();
      std::size_t room = piece.size();
      const std::size_t outcome = ::iconv(handle, &in, &in_left, &to, &room);
      const int reason = errno;
      out.append(piece.data(), static_cast<std::size_t>(to - piece.data()));
      if (outcome != static_cast<std::size_t>(-1) || reason == E2BIG) continue;
      out += kReplacement;
      if (reason != EILSEQ) return;  // The line ends in the middle of a character.
      ++in;
      --in_left;
    }
  }

  const iconv_t handle;  // NOLINT(misc-misplaced-const): the handle is what does not change.
};

std::string TextEncoding::WhatIsWrongWith(const std::string& name) {
  if (IsPlain(name) || IsUtf16(Upper(name))) return {};
  if (!IsName(name)) return "not the name of an encoding";
  const Converter converter(name);
  if (!converter.valid()) return "no encoding of that name is known here";
  std::string line;
  converter.Decode("Az09\n", line);
  if (line != "Az09\n") return "its lines do not end in the byte 0x0A; UTF-16 is the one exception";
  return {};
}

bool TextEncoding::IsPlain(const std::string& name) {
  const std::string upper = Upper(name);
  return upper.empty() || upper == "UTF-8" || upper == "UTF8" || upper == "US-ASCII" ||
         upper == "ASCII";
}

TextEncoding::TextEncoding(const std::string& name) : open_order_(Upper(name) == "UTF-16") {
  const std::string upper = Upper(name);
  if (IsUtf16(upper)) {
    form_ = upper == "UTF-16LE" ? Form::kUtf16Little : Form::kUtf16Big;
    unit_ = 2;
    begun_ = !open_order_;
  } else {
    converter_ = std::make_unique<Converter>(name);
  }
}

TextEncoding::~TextEncoding() = default;

void TextEncoding::Begin(std::string_view head) {
  if (!open_order_ || head.size() < 2) return;
  begun_ = true;
  form_ = Form::kUtf16Big;
  const bool marked = head.starts_with("\xFF\xFE");
  const bool latin = head[0] != '\0' && head[1] == '\0';
  if (marked || latin) form_ = Form::kUtf16Little;
}

void TextEncoding::Reset() {
  begun_ = !open_order_;
}

bool TextEncoding::IsLineBreak(const char* at) const {
  return form_ == Form::kUtf16Little ? at[0] == '\n' && at[1] == '\0'
                                     : at[0] == '\0' && at[1] == '\n';
}

std::size_t TextEncoding::EndOfLastLine(const char* data, std::size_t bytes) const {
  if (unit_ == 1) {
    const auto* found = static_cast<const char*>(::memrchr(data, '\n', bytes));
    return found != nullptr ? static_cast<std::size_t>(found - data) + 1 : 0;
  }
  for (std::size_t end = bytes - bytes % 2; end > 0; end -= 2) {
    if (IsLineBreak(data + end - 2)) return end;
  }
  return 0;
}

std::size_t TextEncoding::EndOfFirstLine(const char* data, std::size_t bytes) const {
  if (unit_ == 1) {
    const auto* found = static_cast<const char*>(std::memchr(data, '\n', bytes));
    return found != nullptr ? static_cast<std::size_t>(found - data) + 1 : 0;
  }
  for (std::size_t at = 0; at + 2 <= bytes; at += 2) {
    if (IsLineBreak(data + at)) return at + 2;
  }
  return 0;
}

void TextEncoding::Decode(std::string_view text, std::string& out) {
  out.clear();
  if (unit_ == 2) {
    DecodeUtf16(text, out);
  } else if (converter_->valid()) {
    converter_->Decode(text, out);
  } else {
    out = text;
  }
}

void TextEncoding::DecodeUtf16(std::string_view text, std::string& out) const {
  const std::size_t high = form_ == Form::kUtf16Little ? 1 : 0;
  const auto unit_at = [&text, high](std::size_t at) {
    return static_cast<uint32_t>(static_cast<unsigned char>(text[at + high])) << 8U |
           static_cast<uint32_t>(static_cast<unsigned char>(text[at + 1 - high]));
  };
  std::size_t at = 0;
  while (at + 2 <= text.size()) {
    const uint32_t unit = unit_at(at);
    at += 2;
    if (unit < 0xD800 || unit > 0xDFFF) {
      AppendUtf8(unit, out);
      continue;
    }
    const bool leads = unit < 0xDC00 && at + 2 <= text.size();
    const uint32_t next = leads ? unit_at(at) : 0;
    if (next < 0xDC00 || next > 0xDFFF) {
      out += kReplacement;
      continue;
    }
    at += 2;
    AppendUtf8(0x10000 + ((unit - 0xD800) << 10U) + (next - 0xDC00), out);
  }
  if (at < text.size()) out += kReplacement;
}

}  // namespace agent
