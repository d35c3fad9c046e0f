#include "pipeline/redact/redactor.h"

#include <algorithm>
#include <random>
#include <string>
#include <vector>

#include "base/utf8.h"
#include "tests/pipeline/redact/marked.h"
#include "tests/support/temp_dir.h"

// Comes last: it has a CHECK of its own.
// clang-format off
#include <catch2/catch.hpp>
// clang-format on

#include <sys/stat.h>

#include <fstream>

namespace agent::redact {
namespace {

TEST_CASE("redactor: finds each detector's example, and nothing in what is left", "[redact]") {
  Redactor redactor(OptionsFor({}, "<redacted:{detector}>"));
  for (const Detector& detector : AllDetectors()) {
    INFO(detector.name);
    const std::string once = Redacted(redactor, detector.example);

    CHECK(once.find("<redacted:" + std::string(detector.name) + ">") != std::string::npos);
    CHECK(std::count(once.begin(), once.end(), '<') == 1);
    CHECK(Redacted(redactor, once) == once);
  }
}

TEST_CASE("redactor: names are unique, and only IP addresses are not among the default ones",
          "[redact]") {
  std::vector<std::string> names;
  std::vector<std::string> others;
  for (const Detector& detector : AllDetectors()) {
    names.emplace_back(detector.name);
    if (!detector.is_default) others.emplace_back(detector.name);
  }
  std::sort(names.begin(), names.end());

  CHECK(std::adjacent_find(names.begin(), names.end()) == names.end());
  CHECK(others == std::vector<std::string>{"ipv4", "ipv6"});
}

TEST_CASE("redactor: of values that overlap the leftmost counts, then the longest", "[redact]") {
  CHECK(Marked("4111 1111 1111 1111@example.com") == "<payment_card>@example.com");
  CHECK(Marked("4111-1111-1111-1111@example.com") == "<email>");
  CHECK(Marked("::ffff:192.0.2.1") == "<ipv6>");
  CHECK(Marked("https://u:10.0.0.1@example.com") == "https://<url_credentials>@example.com");
}

TEST_CASE("redactor: replacements name the detector as they are told", "[redact]") {
  Redactor upper(OptionsFor({"email", "ipv4"}, "[{DETECTOR}|{detector}]"));
  Redactor removed(OptionsFor({"email"}, ""));

  CHECK(Redacted(upper, "a@b.org 10.0.0.1") == "[EMAIL|email] [IPV4|ipv4]");
  CHECK(Redacted(removed, "mail a@b.org, ok") == "mail , ok");
}

TEST_CASE("redactor: allowed values stay, by their text or by an expression", "[redact]") {
  RedactorOptions options = OptionsFor({"email", "ipv4"}, "<{detector}>");
  options.allowed = {"127.0.0.1", "noreply@example.org"};
  auto pattern = GoRegex::Compile(".*@example\\.com", RegexScope::kWholeText);
  REQUIRE(pattern.ok());
  options.allowed_patterns.push_back(std::move(pattern).value());
  Redactor redactor(std::move(options));

  CHECK(Redacted(redactor,
                 "127.0.0.1 127.0.0.2 noreply@example.org a@example.com "
                 "a@example.com.au") ==
        "127.0.0.1 <ipv4> noreply@example.org a@example.com <email>");
}

TEST_CASE("redactor: a hash depends on the value and the key alone", "[redact]") {
  const auto with_key = [](const std::string& key, std::string_view text) {
    RedactorOptions options =
        OptionsFor({"email", "payment_card", "iban", "ipv6"}, "<{detector}:{hash}>");
    options.key = key;
    Redactor redactor(std::move(options));
    return Redacted(redactor, text);
  };
  const std::string key = "0123456789abcdef";
  // printf %s ann@example.com | openssl dgst -sha256 -hmac 0123456789abcdef
  const std::string ann = "<email:9f70eb4f1d9f0194>";

  CHECK(with_key(key, "to ann@example.com") == "to " + ann);
  CHECK(with_key(key, "Ann@Example.com ann@example.com") == ann + " " + ann);
  CHECK(with_key("another key 1234", "ann@example.com") != ann);
  CHECK(with_key(key, "4111 1111 1111 1111") == with_key(key, "4111-1111-1111-1111"));
  CHECK(with_key(key, "4111 1111 1111 1111") == with_key(key, "4111111111111111"));
  CHECK(with_key(key, "DE89 3704 0044 0532 0130 00") == with_key(key, "DE89370400440532013000"));
  CHECK(with_key(key, "2001:DB8:0::1") == with_key(key, "2001:db8::1"));
}

TEST_CASE("redactor: a replacement that would be redacted again is named", "[redact]") {
  const auto unstable = [](std::string_view replacement) -> std::string {
    RedactorOptions options = OptionsFor({}, replacement);
    options.key = "0123456789abcdef";
    const Detector* const detector = FirstUnstable(options);
    return detector == nullptr ? "" : std::string(detector->name);
  };

  CHECK(unstable("<{detector}>").empty());
  CHECK(unstable("***").empty());
  CHECK(unstable("XXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXX1").empty());
  CHECK(unstable("<{detector}:{hash}>").empty());
  CHECK(unstable("{hash}{hash}") == "bearer_token");
  CHECK(unstable("ask@example.com").empty());
  CHECK(unstable("to ask@example.com") == "url_credentials");
}

// --- Generated texts.

class Generator {
 public:
  explicit Generator(uint32_t seed) : random_(seed) {}

  std::size_t Below(std::size_t limit) {
    return std::uniform_int_distribution<std::size_t>(0, limit - 1)(random_);
  }
  std::string From(std::string_view chars, std::size_t size) {
    std::string text;
    for (std::size_t i = 0; i < size; ++i)
      text += chars[Below(chars.size())];
    return text;
  }

  // Words that no detector takes for anything, with non-ASCII text and punctuation between.
  std::string Filler() {
    static const std::vector<std::string> kWords = {"level=info",
                                                    "GET /index.html",
                                                    "\xE2\x82\xAC 12.50",
                                                    "took=0.123s",
                                                    "id=7f3a-91",
                                                    "2023-05-06",
                                                    "12:34:56",
                                                    "std::vector",
                                                    "\xF0\x9F\x98\x80",
                                                    "v1.2.3",
                                                    "user=ann",
                                                    "{\"k\": [1,2]}",
                                                    "\xE6\x97\xA5\xE6\x9C\xAC",
                                                    "--flag",
                                                    "100%",
                                                    "a::b"};
    std::string text;
    for (std::size_t i = Below(8); i > 0; --i)
      text += kWords[Below(kWords.size())] + " ";
    return text;
  }

  struct Value {
    std::string text;
    std::string detector;
  };
  Value Any() {
    switch (Below(6)) {
      case 0:
        return {From(kLower, 1 + Below(20)) + "@" + From(kLower, 1 + Below(10)) + ".org", "email"};
      case 1:
        return {Octet() + "." + Octet() + "." + Octet() + "." + Octet(), "ipv4"};
      case 2:
        return {"2001:db8:" + From(kHexDigits, 4) + "::" + From(kHexDigits, 1 + Below(4)), "ipv6"};
      case 3:
        return {Card(), "payment_card"};
      case 4:
        return {Iban(), "iban"};
      default:
        return {"ghp_" + From(kAlphanumeric, 36), "github_token"};
    }
  }

 private:
  static constexpr std::string_view kLower = "abcdefghijklmnopqrstuvwxyz";
  static constexpr std::string_view kDigits = "0123456789";
  static constexpr std::string_view kHexDigits = "0123456789abcdef";
  static constexpr std::string_view kAlphanumeric = "abcdefghijABCDEFGHIJ0123456789";

  std::string Octet() { return std::to_string(Below(256)); }

  std::string Card() {
    std::string digits = "4" + From(kDigits, 14);
    unsigned sum = 0;
    for (std::size_t i = 0; i < digits.size(); ++i) {
      const auto digit = static_cast<unsigned>(digits[i] - '0');
      sum += i % 2 == 0 ? (digit * 2 > 9 ? digit * 2 - 9 : digit * 2) : digit;
    }
    digits += static_cast<char>('0' + (10 - sum % 10) % 10);
    const std::string separator = std::vector<std::string>{"", " ", "-"}[Below(3)];
    return digits.substr(0, 4) + separator + digits.substr(4, 4) + separator + digits.substr(8, 4) +
           separator + digits.substr(12);
  }

  std::string Iban() {
    const std::string account = From(kDigits, 18);
    unsigned remainder = 0;
    for (const char c : account + "131400")  // D and E, and no check digits yet.
      remainder = (remainder * 10 + static_cast<unsigned>(c - '0')) % 97;
    const unsigned check = 98 - remainder;
    return "DE" + std::string(check < 10 ? "0" : "") + std::to_string(check) + account;
  }

  std::mt19937 random_;
};

TEST_CASE("redactor: generated values are found at exactly their place", "[redact][property]") {
  Generator generator(7);
  Redactor redactor(OptionsFor({}, "<{detector}>"));
  static const std::vector<std::string> kBefore = {"", " ", "\"", "=", "(", "\xE2\x82\xAC"};
  static const std::vector<std::string> kBehind = {"", " ", "\"", ",", ")", "\xE2\x82\xAC"};
  for (int round = 0; round < 20000; ++round) {
    std::string text;
    std::string want;
    for (std::size_t i = generator.Below(4); i > 0; --i) {
      const Generator::Value value = generator.Any();
      const std::string before = generator.Filler() + kBefore[generator.Below(kBefore.size())];
      const std::string behind = kBehind[generator.Below(kBehind.size())] + " | ";
      text.append(before).append(value.text).append(behind);
      want.append(before).append("<").append(value.detector).append(">").append(behind);
    }
    const std::string rest = generator.Filler();
    INFO(text + rest);

    const std::string got = Redacted(redactor, text + rest);

    REQUIRE(got == want + rest);
    REQUIRE(IsValidUtf8(got));
    REQUIRE(Redacted(redactor, got) == got);
  }
}

// Bytes that matter to detectors, in any order.
std::string Noise(Generator& generator) {
  static const std::vector<std::string> kPieces = {"@",
                                                   "%40",
                                                   "::",
                                                   ":",
                                                   ".",
                                                   "-",
                                                   "_",
                                                   " ",
                                                   "eyJ",
                                                   "Bearer ",
                                                   "1",
                                                   "12",
                                                   "4111",
                                                   "DE89",
                                                   "a",
                                                   "example",
                                                   ".com",
                                                   "AKIA",
                                                   "//",
                                                   "ghp_",
                                                   "\n",
                                                   "\xC3\xA9",
                                                   "\xE2\x82\xAC",
                                                   "-----BEGIN ",
                                                   "PRIVATE KEY-----",
                                                   "127.0.0.1",
                                                   "fe80"};
  std::string text;
  for (std::size_t i = generator.Below(40); i > 0; --i)
    text += kPieces[generator.Below(kPieces.size())];
  return text;
}

TEST_CASE("redactor: redacting noise twice is as redacting it once", "[redact][property]") {
  Generator generator(11);
  Redactor redactor(OptionsFor({}, "<redacted:{detector}>"));
  for (int round = 0; round < 50000; ++round) {
    const std::string text = Noise(generator);
    INFO(text);

    const std::string once = Redacted(redactor, text);

    REQUIRE(IsValidUtf8(once));
    REQUIRE(Redacted(redactor, once) == once);
  }
}

TEST_CASE("trigger scanner: every variant finds the same places", "[redact][property]") {
  std::vector<const Detector*> detectors;
  for (const Detector& detector : AllDetectors())
    detectors.push_back(&detector);
  const TriggerScanner portable(detectors, TriggerScanner::Variant::kPortable);
  const auto places = [](const TriggerScanner& scanner, std::string_view text) {
    std::vector<Candidate> found;
    scanner.Scan(text, found);
    std::vector<std::pair<uint32_t, uint32_t>> sorted;
    sorted.reserve(found.size());
    for (const Candidate& candidate : found)
      sorted.emplace_back(candidate.at, candidate.detector);
    std::sort(sorted.begin(), sorted.end());
    return sorted;
  };
  Generator generator(13);
  for (const TriggerScanner::Variant variant : TriggerScanner::Variants()) {
    const TriggerScanner scanner(detectors, variant);
    for (int round = 0; round < 20000; ++round) {
      const std::string text = generator.Filler() + Noise(generator) + generator.Any().text;
      const PaddedText padded(text);
      INFO(text);
      REQUIRE(places(scanner, padded.view()) == places(portable, padded.view()));
    }
  }
}

bool FindsBehind(const TriggerScanner& scanner, uint32_t wanted, std::size_t before,
                 const std::string& value) {
  const PaddedText text(std::string(before, 'x') + " " + value);
  std::vector<Candidate> found;
  scanner.Scan(text.view(), found);
  return std::any_of(found.begin(), found.end(), [&](const Candidate& candidate) {
    return candidate.detector == wanted && candidate.at > before;
  });
}

TEST_CASE("trigger scanner: finds a trigger wherever it stands", "[redact]") {
  std::vector<const Detector*> detectors = {ByName("payment_card"), ByName("ipv4"),
                                            ByName("private_key"), ByName("ipv6"), ByName("iban")};
  const std::vector<std::string> values = {"4111111111111111", "192.168.100.200", "-----BEGIN ",
                                           "2001:0db8:0000:0000:8a2e:0000:0370:7334",
                                           "DE89370400440532013000"};
  for (const TriggerScanner::Variant variant : TriggerScanner::Variants()) {
    const TriggerScanner scanner(detectors, variant);
    for (uint32_t wanted = 0; wanted < values.size(); ++wanted) {
      for (std::size_t before = 0; before < 200; ++before) {
        INFO(values[wanted] << " after " << before);
        REQUIRE(FindsBehind(scanner, wanted, before, values[wanted]));
      }
    }
  }
}

TEST_CASE("key file: read without space around it, and not when everybody may write to it",
          "[redact]") {
  const TempDir dir;
  const std::string path = dir.path() + "/key";
  std::ofstream(path) << " secret of sixteen bytes\n";

  chmod(path.c_str(), 0600);
  CHECK(ReadKeyFile(path)->key == "secret of sixteen bytes");
  CHECK_FALSE(ReadKeyFile(path)->others_may_read);
  chmod(path.c_str(), 0644);
  CHECK(ReadKeyFile(path)->others_may_read);
  chmod(path.c_str(), 0666);
  CHECK_FALSE(ReadKeyFile(path).ok());
  CHECK_FALSE(ReadKeyFile(dir.path()).ok());
  CHECK_FALSE(ReadKeyFile(dir.path() + "/none").ok());
}

}  // namespace
}  // namespace agent::redact
