// Text that is not UTF-8: where its lines end, and what they say. UTF-16 in both byte orders, and
// every encoding of iconv's in which a line ends in the byte 0x0A.

#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace agent {

// One text; used by one thread at a time.
class TextEncoding {
 public:
  // Why `name` (IANA's, in any case) will not do; empty when it does.
  static std::string WhatIsWrongWith(const std::string& name);
  // UTF-8 and ASCII need none.
  static bool IsPlain(const std::string& name);

  // A name that passes WhatIsWrongWith().
  explicit TextEncoding(const std::string& name);
  TextEncoding(const TextEncoding&) = delete;
  TextEncoding& operator=(const TextEncoding&) = delete;
  ~TextEncoding();

  // "UTF-16" leaves the byte order to the text: it has a mark at its beginning, or zero bytes where
  // Latin letters have them; else the high byte comes first. `head` is how the text begins; fewer
  // than two bytes decide nothing.
  void Begin(std::string_view head);
  [[nodiscard]] bool begun() const { return begun_; }
  // The text is another one.
  void Reset();

  // Bytes of a line break. Texts below start at a multiple of it.
  [[nodiscard]] std::size_t unit() const { return unit_; }
  // Behind the last or the first line break among `bytes`; 0: there is none.
  [[nodiscard]] std::size_t EndOfLastLine(const char* data, std::size_t bytes) const;
  [[nodiscard]] std::size_t EndOfFirstLine(const char* data, std::size_t bytes) const;

  // The text as UTF-8, in place of what `out` had. What is no character becomes U+FFFD.
  void Decode(std::string_view text, std::string& out);

 private:
  struct Converter;  // iconv's.
  enum class Form : uint8_t { kBytes, kUtf16Little, kUtf16Big };

  void DecodeUtf16(std::string_view text, std::string& out) const;
  [[nodiscard]] bool IsLineBreak(const char* at) const;

  const bool open_order_;  // "UTF-16".
  Form form_ = Form::kBytes;
  std::size_t unit_ = 1;
  bool begun_ = true;
  std::unique_ptr<Converter> converter_;
};

}  // namespace agent
