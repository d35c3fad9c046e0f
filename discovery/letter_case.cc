#include "discovery/letter_case.h"

#include <clocale>
#include <cwctype>

#include "base/utf8.h"

namespace agent {
namespace {

// glibc's own table of the C locale with UTF-8: no installed locale is needed.
class Utf8Locale {
 public:
  Utf8Locale() : locale_(newlocale(LC_CTYPE_MASK, "C.UTF-8", nullptr)) {}
  Utf8Locale(const Utf8Locale&) = delete;
  Utf8Locale& operator=(const Utf8Locale&) = delete;
  ~Utf8Locale() {
    if (locale_ != nullptr) freelocale(locale_);
  }

  // Null where there is none; then only ASCII letters have two cases.
  [[nodiscard]] locale_t get() const { return locale_; }

 private:
  locale_t locale_;
};

std::string Convert(std::string_view text, bool upper) {
  static const Utf8Locale kLocale;
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    const DecodedRune decoded = DecodeRune(text);
    text.remove_prefix(decoded.size);
    const auto rune = static_cast<wint_t>(decoded.rune);
    wint_t converted = rune;
    if (kLocale.get() != nullptr) {
      converted = upper ? towupper_l(rune, kLocale.get()) : towlower_l(rune, kLocale.get());
    } else if (rune < 0x80) {
      converted = upper ? std::towupper(rune) : std::towlower(rune);
    }
    AppendUtf8(static_cast<char32_t>(converted), out);
  }
  return out;
}

}  // namespace

std::string ToLowercase(std::string_view text) {
  return Convert(text, false);
}

std::string ToUppercase(std::string_view text) {
  return Convert(text, true);
}

}  // namespace agent
