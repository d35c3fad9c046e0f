#include "agent/receivers/syslog/syslog_message.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "base/clock.h"
#include "pipeline/time/civil.h"
#include "pipeline/time/rfc3339.h"

namespace agent {
namespace {

bool IsDigit(char c) {
  return c >= '0' && c <= '9';
}

bool IsPrintable(char c) {
  return c > ' ' && c < '\x7f';
}

// Takes pieces off the front of a text. A piece that is not as wanted stays.
class Reader {
 public:
  explicit Reader(std::string_view text) : rest_(text) {}

  [[nodiscard]] std::string_view rest() const { return rest_; }
  void Skip(std::size_t size) { rest_.remove_prefix(size); }

  bool Take(std::string_view text) {
    if (!rest_.starts_with(text)) return false;
    rest_.remove_prefix(text.size());
    return true;
  }

  // `<13>`: no leading zeros, at most 191.
  std::optional<uint8_t> TakePriority() {
    const std::size_t end = rest_.substr(0, 5).find('>');
    if (!rest_.starts_with('<') || end == std::string_view::npos || end < 2) return std::nullopt;
    const std::string_view digits = rest_.substr(1, end - 1);
    if (!std::all_of(digits.begin(), digits.end(), IsDigit)) return std::nullopt;
    if (digits.size() > 1 && digits.front() == '0') return std::nullopt;
    unsigned priority = 0;
    std::from_chars(digits.data(), digits.data() + digits.size(), priority);
    if (priority > 191) return std::nullopt;
    rest_.remove_prefix(end + 1);
    return static_cast<uint8_t>(priority);
  }

  void TakeSpaces() {
    while (Take(" ")) {
    }
  }

  // A word of printable ASCII up to a space or the end, at most `max` long; nullopt: it is none.
  std::optional<std::string_view> TakeWord(std::size_t max) {
    const auto* const end = std::find_if_not(rest_.begin(), rest_.end(), IsPrintable);
    const auto size = static_cast<std::size_t>(end - rest_.begin());
    if (size == 0 || size > max || (end != rest_.end() && *end != ' ')) return std::nullopt;
    const std::string_view word = rest_.substr(0, size);
    rest_.remove_prefix(size);
    return word;
  }

 private:
  std::string_view rest_;
};

void SetPriority(uint8_t priority, SyslogMessage& message) {
  message.severity = priority % 8;
  message.facility = priority / 8;
}

// From here on nothing is understood: it is the message.
SyslogMessage Broken(SyslogMessage message, const Reader& reader, std::string_view error) {
  message.message = reader.rest();
  message.error = error;
  return message;
}

std::string_view NoneIfNil(std::string_view word) {
  return word == "-" ? std::string_view() : word;
}

// --- RFC 5424

bool IsSdName(char c) {
  return IsPrintable(c) && c != '=' && c != ']' && c != '"';
}

std::optional<std::string_view> TakeSdName(Reader& reader) {
  const std::string_view rest = reader.rest();
  const auto* const end = std::find_if_not(rest.begin(), rest.end(), IsSdName);
  const auto size = static_cast<std::size_t>(end - rest.begin());
  if (size == 0 || size > 32) return std::nullopt;
  reader.Skip(size);
  return rest.substr(0, size);
}

// What stands between the quotes; the first has been taken.
std::optional<std::string> TakeSdValue(Reader& reader) {
  std::string value;
  const std::string_view rest = reader.rest();
  for (std::size_t i = 0; i < rest.size(); ++i) {
    const char c = rest[i];
    if (c == '"') {
      reader.Skip(i + 1);
      return value;
    }
    if (c == ']') return std::nullopt;
    const bool escapes = c == '\\' && i + 1 < rest.size() &&
                         (rest[i + 1] == '"' || rest[i + 1] == '\\' || rest[i + 1] == ']');
    value += escapes ? rest[++i] : c;
  }
  return std::nullopt;
}

// The `[` has been taken.
std::optional<SyslogElement> TakeSdElement(Reader& reader) {
  SyslogElement element;
  const auto id = TakeSdName(reader);
  if (!id) return std::nullopt;
  element.id = *id;
  while (reader.Take(" ")) {
    const auto name = TakeSdName(reader);
    if (!name || !reader.Take("=\"")) return std::nullopt;
    auto value = TakeSdValue(reader);
    if (!value) return std::nullopt;
    element.parameters.emplace_back(*name, *std::move(value));
  }
  if (!reader.Take("]")) return std::nullopt;
  return element;
}

// False: an element is malformed; it and what follows is left.
bool TakeStructuredData(Reader& reader, std::vector<SyslogElement>& elements) {
  if (reader.Take("-")) return true;
  if (!reader.rest().starts_with('[')) return false;
  while (reader.rest().starts_with('[')) {
    Reader attempt = reader;
    attempt.Skip(1);
    auto element = TakeSdElement(attempt);
    if (!element) return false;
    elements.push_back(*std::move(element));
    reader = attempt;
  }
  return true;
}

// --- RFC 3164

constexpr std::array<std::string_view, 12> kMonths = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                      "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
constexpr std::size_t kStampSize = 15;  // "Mmm dd hh:mm:ss"

// Two digits, or a space and one; -1: neither.
int TwoDigits(std::string_view text) {
  if (!IsDigit(text[1]) || (text[0] != ' ' && !IsDigit(text[0]))) return -1;
  return (text[0] == ' ' ? 0 : text[0] - '0') * 10 + (text[1] - '0');
}

// The year is this one, or the one beside it that is nearer: a message of December 31 that comes in
// January is not from the future.
int64_t WithYear(int month, int day, int64_t second_of_day, int64_t now_ns) {
  const int64_t now = FloorDiv(now_ns, kNanosPerSecond);
  const int64_t this_year = CivilFromDays(FloorDiv(now, kSecondsPerDay)).year;
  int64_t best = 0;
  int64_t distance = -1;
  for (int64_t year = this_year - 1; year <= this_year + 1; ++year) {
    const int64_t seconds = DaysFromCivil(year, month, day) * kSecondsPerDay + second_of_day;
    const int64_t away = seconds > now ? seconds - now : now - seconds;
    if (distance >= 0 && away >= distance) continue;
    best = seconds;
    distance = away;
  }
  return best * kNanosPerSecond;
}

std::optional<int64_t> TakeStamp(Reader& reader, int64_t now_ns) {
  const std::string_view text = reader.rest();
  if (text.size() < kStampSize || (text.size() > kStampSize && text[kStampSize] != ' ')) {
    return std::nullopt;
  }
  const auto* const month = std::find(kMonths.begin(), kMonths.end(), text.substr(0, 3));
  if (month == kMonths.end() || text[3] != ' ' || text[6] != ' ' || text[9] != ':' ||
      text[12] != ':') {
    return std::nullopt;
  }
  const int day = TwoDigits(text.substr(4, 2));
  const int hour = TwoDigits(text.substr(7, 2));
  const int minute = TwoDigits(text.substr(10, 2));
  const int second = TwoDigits(text.substr(13, 2));
  if (day < 1 || day > 31 || hour < 0 || hour > 23 || minute < 0 || minute > 59 || second < 0 ||
      second > 59) {
    return std::nullopt;
  }
  reader.Skip(kStampSize);
  const int64_t second_of_day = (int64_t{hour} * 60 + minute) * 60 + second;
  return WithYear(static_cast<int>(month - kMonths.begin()) + 1, day, second_of_day, now_ns);
}

std::optional<int64_t> TakeRfc3339(Reader& reader) {
  Reader attempt = reader;
  const auto word = attempt.TakeWord(40);
  if (!word) return std::nullopt;
  const auto time = Rfc3339Parser().Parse(*word);
  if (time) reader = attempt;
  return time;
}

bool IsTag(char c) {
  return IsPrintable(c) && c != ':' && c != '[' && c != ']';
}

// `tag: `, `tag[pid]: `; without a colon the text has no tag.
void TakeTag(Reader& reader, SyslogMessage& message) {
  const std::string_view rest = reader.rest();
  const auto* const end = std::find_if_not(rest.begin(), rest.end(), IsTag);
  const auto size = static_cast<std::size_t>(end - rest.begin());
  if (size == 0 || size > 48 || end == rest.end()) return;
  Reader after(rest.substr(size));
  std::string_view pid;
  if (after.Take("[")) {
    const std::size_t close = after.rest().find(']');
    if (close == std::string_view::npos || close > 128) return;
    pid = after.rest().substr(0, close);
    after.Skip(close + 1);
  }
  if (!after.Take(":")) return;
  after.Take(" ");
  message.app_name = rest.substr(0, size);
  message.proc_id = pid;
  reader = after;
}

constexpr std::array<std::string_view, 8> kSeverities = {
    "emergency", "alert", "critical", "error", "warning", "notice", "informational", "debug"};
constexpr std::array<std::string_view, 24> kFacilities = {
    "kern",   "user",   "mail",     "daemon", "auth",   "syslog",   "lpr",     "news",
    "uucp",   "cron",   "authpriv", "ftp",    "ntp",    "security", "console", "cron2",
    "local0", "local1", "local2",   "local3", "local4", "local5",   "local6",  "local7"};

}  // namespace

std::optional<SyslogMessage> ParseRfc5424(std::string_view text) {
  Reader reader(text);
  SyslogMessage message;
  const auto priority = reader.TakePriority();
  if (!priority) return std::nullopt;
  SetPriority(*priority, message);
  const auto version = reader.TakeWord(3);
  if (!version || version->front() == '0' ||
      !std::all_of(version->begin(), version->end(), IsDigit)) {
    return std::nullopt;
  }
  message.version = *version;

  if (!reader.Take(" ")) return Broken(message, reader, "no space after the version");
  if (!reader.Take("-")) {
    const std::string_view rest = reader.rest();
    message.timestamp_ns = TakeRfc3339(reader);
    message.timestamp = rest.substr(0, rest.size() - reader.rest().size());
    if (!message.timestamp_ns) return Broken(message, reader, "the time is not in RFC 3339");
  }
  struct Field {
    std::string_view* value;
    std::size_t max;
    std::string_view error;
  };
  const std::array<Field, 4> fields = {
      Field{&message.hostname, 255, "the hostname is not 1 to 255 printable characters"},
      Field{&message.app_name, 48, "the app-name is not 1 to 48 printable characters"},
      Field{&message.proc_id, 128, "the procid is not 1 to 128 printable characters"},
      Field{&message.msg_id, 32, "the msgid is not 1 to 32 printable characters"}};
  for (const Field& field : fields) {
    Reader attempt = reader;
    const bool spaced = attempt.Take(" ");
    const auto word = spaced ? attempt.TakeWord(field.max) : std::nullopt;
    if (!word) return Broken(std::move(message), reader, field.error);
    *field.value = NoneIfNil(*word);
    reader = attempt;
  }
  if (!reader.Take(" ")) return Broken(std::move(message), reader, "there is no structured data");
  if (!TakeStructuredData(reader, message.structured_data)) {
    return Broken(std::move(message), reader, "the structured data is malformed");
  }
  if (!reader.rest().empty() && !reader.Take(" ")) {
    return Broken(std::move(message), reader, "no space after the structured data");
  }
  message.message = reader.rest();
  return message;
}

std::optional<SyslogMessage> ParseRfc3164(std::string_view text, int64_t now_ns) {
  Reader reader(text);
  SyslogMessage message;
  const auto priority = reader.TakePriority();
  if (!priority) return std::nullopt;
  SetPriority(*priority, message);
  Reader spaced = reader;  // Some senders put more spaces in than there should be.
  spaced.TakeSpaces();
  message.timestamp_ns = TakeStamp(spaced, now_ns);
  if (!message.timestamp_ns) message.timestamp_ns = TakeRfc3339(spaced);
  if (!message.timestamp_ns) {  // Everything is the message, as section 4.3.3 has it.
    TakeTag(reader, message);
    message.message = reader.rest();
    return message;
  }
  reader = spaced;
  reader.TakeSpaces();
  // A first word with a colon is a tag: the host was left out.
  Reader attempt = reader;
  const auto host = attempt.TakeWord(255);
  if (host && host->find(':') == std::string_view::npos && attempt.Take(" ")) {
    message.hostname = *host;
    reader = attempt;
    reader.TakeSpaces();
  }
  const std::string_view from_tag = reader.rest();
  TakeTag(reader, message);
  message.message = reader.rest().empty() ? from_tag : reader.rest();  // A tag alone is a text.
  return message;
}

std::string_view SyslogSeverityName(uint8_t severity) {
  return kSeverities[severity % kSeverities.size()];
}

std::string_view SyslogFacilityName(uint8_t facility) {
  return kFacilities[facility % kFacilities.size()];
}

}  // namespace agent
