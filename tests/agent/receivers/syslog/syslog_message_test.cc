#include "agent/receivers/syslog/syslog_message.h"

#include <string>

#include <catch2/catch.hpp>

#include "base/clock.h"
#include "pipeline/time/rfc3339.h"

namespace agent {
namespace {

constexpr std::string_view kNow = "2026-01-02T00:00:00Z";

// Everything that was read, in one line.
std::string Describe(const std::optional<SyslogMessage>& message) {
  if (!message) return "none";
  std::string text(SyslogFacilityName(message->facility));
  text += "." + std::string(SyslogSeverityName(message->severity));
  if (message->timestamp_ns) text += " time=" + FormatRfc3339(*message->timestamp_ns);
  const auto add = [&text](const char* name, std::string_view value) {
    if (!value.empty()) text += std::string(" ") + name + "=" + std::string(value);
  };
  add("host", message->hostname);
  add("app", message->app_name);
  add("proc", message->proc_id);
  add("id", message->msg_id);
  for (const SyslogElement& element : message->structured_data) {
    text += " [" + std::string(element.id);
    for (const auto& [name, value] : element.parameters)
      text += " " + std::string(name) + "=" + value;
    text += "]";
  }
  text += " |" + std::string(message->message);
  if (!message->error.empty()) text += "| " + std::string(message->error);
  return text;
}

std::string Old(std::string_view text) {
  return Describe(ParseRfc3164(text, *Rfc3339Parser().Parse(kNow)));
}

}  // namespace

TEST_CASE("syslog: RFC 5424 messages", "[syslog]") {
  struct Case {
    std::string text;
    std::string want;
  };
  const auto c = GENERATE(values<Case>({
      {"<34>1 2003-10-11T22:14:15.003Z host su - ID47 - 'su root' failed",
       "auth.critical time=2003-10-11T22:14:15.003Z host=host app=su id=ID47 |'su root' failed"},
      {"<0>1 - - - - - - x", "kern.emergency |x"},
      {"<191>999 - - - - - - x", "local7.debug |x"},
      {"<120>1 - - - - - - x", "cron2.emergency |x"},
      {"<13>1 2023-05-06T09:08:09.1234567+02:00 h a p m - x",
       "user.notice time=2023-05-06T07:08:09.1234567Z host=h app=a proc=p id=m |x"},
      {R"(<13>1 - - - - - [x@1 k="v\"q\]\\" e=""][y] text)",
       R"(user.notice [x@1 k=v"q]\ e=] [y] |text)"},
      {R"(<13>1 - - - - - [x k="a\b"] t)", R"(user.notice [x k=a\b] |t)"},
      {"<13>1 - - - - - -", "user.notice |"},
      {"<13>1 - - - - - - ", "user.notice |"},
      {"<13>1 - - - - - -  two spaces\r", "user.notice | two spaces\r"},
      {"<13>1 - - - - - - \xef\xbb\xbf"
       "bom \xff",
       "user.notice |\xef\xbb\xbf"
       "bom \xff"},
  }));
  CAPTURE(c.text);

  CHECK(Describe(ParseRfc5424(c.text)) == c.want);
}

TEST_CASE("syslog: what cannot be read of an RFC 5424 message is its text", "[syslog]") {
  struct Case {
    std::string text;
    std::string want;
  };
  const auto c = GENERATE(values<Case>({
      {"<13>1", "user.notice || no space after the version"},
      {"<13>1 yesterday h a p m - x",
       "user.notice |yesterday h a p m - x| the time is not in RFC 3339"},
      {"<13>1 - h\x7f a p m - x",
       "user.notice | h\x7f a p m - x| the hostname is not 1 to 255 printable characters"},
      {"<13>1 - h " + std::string(49, 'a') + " p m - x",
       "user.notice host=h | " + std::string(49, 'a') +
           " p m - x| the app-name is not 1 to 48 printable characters"},
      {"<13>1 - h a p",
       "user.notice host=h app=a proc=p || the msgid is not 1 to 32 printable characters"},
      {"<13>1 - - - - -", "user.notice || there is no structured data"},
      {"<13>1 - - - - - x", "user.notice |x| the structured data is malformed"},
      {R"(<13>1 - - - - - [a b="1"][c d=2] x)",
       R"(user.notice [a b=1] |[c d=2] x| the structured data is malformed)"},
      {R"(<13>1 - - - - - [a b="1]" x)",
       R"(user.notice |[a b="1]" x| the structured data is malformed)"},
      {R"(<13>1 - - - - - [a b="1)", R"(user.notice |[a b="1| the structured data is malformed)"},
      {"<13>1 - - - - - -x", "user.notice |x| no space after the structured data"},
  }));
  CAPTURE(c.text);

  CHECK(Describe(ParseRfc5424(c.text)) == c.want);
}

TEST_CASE("syslog: without a priority and a version it is no RFC 5424 message", "[syslog]") {
  const auto text =
      GENERATE(as<std::string>(), "", "x", "<", "<>", "<>1 -", "<192>1 - - - - - - x",
               "<013>1 - - - - - - x", "<1x>1 -", "<1234>1 -", "<13>", "<13>0 - - - - - - x",
               "<13>x - - - - - - x", "<13>1234 - - - - - - x", "<13 1 - - -");
  CAPTURE(text);

  CHECK_FALSE(ParseRfc5424(text).has_value());
}

TEST_CASE("syslog: RFC 3164 messages, as they are in the field", "[syslog]") {
  struct Case {
    std::string text;
    std::string want;
  };
  const auto c = GENERATE(values<Case>({
      {"<34>Oct 11 22:14:15 mymachine su: 'su root' failed",
       "auth.critical time=2025-10-11T22:14:15Z host=mymachine app=su |'su root' failed"},
      {"<13>Feb  5 17:32:18 10.0.0.99 Use the BFG!",
       "user.notice time=2026-02-05T17:32:18Z host=10.0.0.99 |Use the BFG!"},
      {"<13>Jan 01 07:08:09 host app[12]: text",
       "user.notice time=2026-01-01T07:08:09Z host=host app=app proc=12 |text"},
      {"<13>Dec 31 23:59:59 host a/b[1]:no space",
       "user.notice time=2025-12-31T23:59:59Z host=host app=a/b proc=1 |no space"},
      {"<13>Jan  1 07:08:09 app[1]: no host",
       "user.notice time=2026-01-01T07:08:09Z app=app proc=1 |no host"},
      {"<13>2023-05-06T07:08:09Z host app[12]: a usual time",
       "user.notice time=2023-05-06T07:08:09Z host=host app=app proc=12 |a usual time"},
      {"<13>text only", "user.notice |text only"},
      {"<13>app: text only", "user.notice app=app |text only"},
      {"<13>Mai 16 07:08:09 host app: x", "user.notice |Mai 16 07:08:09 host app: x"},
      {"<13>May 32 07:08:09 host app: x", "user.notice |May 32 07:08:09 host app: x"},
      {"<13>May 16 24:08:09 host app: x", "user.notice |May 16 24:08:09 host app: x"},
      {"<13>Jan  1 07:08:09", "user.notice time=2026-01-01T07:08:09Z |"},
      {"<13>", "user.notice |"},
      {"no priority", "none"},
      {"", "none"},
  }));
  CAPTURE(c.text);

  CHECK(Old(c.text) == c.want);
}

}  // namespace agent
