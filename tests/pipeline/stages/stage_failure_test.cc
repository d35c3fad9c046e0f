// What stages cannot handle: counted by reason, the first few logged with their place.

#include "pipeline/stage_failure.h"

#include <unistd.h>

#include <array>
#include <string>
#include <vector>

#include "base/unique_fd.h"
#include "tests/pipeline/stages/counted.h"
#include "tests/pipeline/stages/line_runner.h"

// clang-format off
#include <catch2/catch.hpp>
// clang-format on

namespace agent {
namespace {

// What is logged while this lives; what fits into a pipe.
class LoggedText {
 public:
  LoggedText() {
    std::array<int, 2> ends{};
    REQUIRE(pipe(ends.data()) == 0);
    read_ = UniqueFd(ends[0]);
    write_ = UniqueFd(ends[1]);
  }
  [[nodiscard]] int fd() const { return write_.get(); }
  // Ends the log.
  std::vector<std::string> Lines() {
    write_.Reset();
    std::string text;
    std::array<char, 4096> piece{};
    for (ssize_t n = 0; (n = read(read_.get(), piece.data(), piece.size())) > 0;)
      text.append(piece.data(), static_cast<std::size_t>(n));
    std::vector<std::string> lines;
    for (std::size_t at = 0, end = 0; (end = text.find('\n', at)) != std::string::npos;
         at = end + 1)
      lines.push_back(text.substr(at, end - at));
    return lines;
  }

 private:
  UniqueFd read_;
  UniqueFd write_;
};

bool Has(const std::string& line, const std::string& part) {
  INFO(line);
  return line.find(part) != std::string::npos;
}

constexpr std::size_t kHeldBytes = std::size_t{1} << 20;

}  // namespace

TEST_CASE("stage failures: every stage counts what it cannot handle, by reason", "[stages]") {
  struct Case {
    std::string stages;
    std::vector<std::string> lines;
    std::string want;
  };
  const std::string text = "- regex: {expression: '^(?P<x>.*)$'}\n";
  const auto c = GENERATE_COPY(values<Case>({
      {"- json: {expressions: {a: }}\n- labels: {a: }",
       {"{\"a\":1}", "{\"a\":", "", "7"},
       "malformed 3"},
      {"- json: {expressions: {a: 'abs(b)'}}\n- labels: {a: }",
       {R"({"b":"x"})", R"({"b":1})"},
       "expression 1"},
      {"- logfmt: {mapping: {a: }}\n- labels: {a: }", {"a=1", "a=1 b=\"", "=x"}, "malformed 2"},
      {"- docker: {}",
       {R"({"log":"x\n","stream":"stdout","time":"2023-05-06T07:08:09Z"})", "x"},
       "malformed 1"},
      {"- cri: {}", {"2023-05-06T07:08:09Z stdout F x", "x"}, "malformed 1"},
      {text + "- timestamp: {source: x, format: RFC3339}",
       {"2023-05-06T07:08:09Z", "no"},
       "unparsed 1"},
      {"- timestamp: {source: x, format: RFC3339}", {"a", "b"}, "missing 2"},
      {text + "- template: {source: out, template: '{{ index .x 9 }}'}\n- labels: {out: }",
       {"a", "0123456789"},
       "failed 1"},
      {text + "- labels: {x: }", {"\xff", "a"}, "not_utf8 1"},
      {text + "- structured_metadata: {x: }", {"a", "\xff"}, "not_utf8 1"},
      {"- replace: {expression: '(a+)', replace: '{{ index .Value 1 }}'}",
       {"a", "aa", "b"},
       "template 1"},
      {text + "- metrics: {m: {type: Gauge, source: x, config: {action: set}}}",
       {"1", "2ms", "x"},
       "no_number 1"},
  }));
  CAPTURE(c.stages);
  LineRunner runner(c.stages);
  REQUIRE(runner.built());

  const std::size_t out = runner.Run(c.lines).size();

  CHECK(Failures(runner.pipeline().counters()) == c.want);
  CHECK(out == c.lines.size());
}

TEST_CASE("stage failures: the first few are logged with job, stage, file and offset", "[stages]") {
  LoggedText log;
  LineRunner runner(
      "- static_labels: {a: b}\n- json: {expressions: {level: }}\n- labels: {level: }", kHeldBytes,
      log.fd());
  REQUIRE(runner.built());
  runner.labels = Labels({{"filename", "/var/log/app.log"}, {"job", "x"}});

  runner.Run({"{}", "{", "no"});
  runner.Run({"{", "{"});

  const std::vector<std::string> lines = log.Lines();
  REQUIRE(lines.size() == 3);
  for (const std::string& line : lines) {
    CHECK(Has(line, "level=warn room=pipeline"));
    CHECK(Has(line, "job=job stage=1.json reason=malformed"));
    CHECK(Has(line, "file=/var/log/app.log"));
  }
  CHECK(Has(lines[0], "offset=3 "));
  CHECK(Has(lines[1], "offset=5 "));
  CHECK(Has(lines[2], "offset=8 "));
  CHECK(Has(lines[2], "agent_stage_failures_total"));
  CHECK(Failures(runner.pipeline().counters()) == "malformed 4");
}

TEST_CASE("stage failures: stages inside a match count for themselves", "[stages]") {
  LineRunner runner(
      "- match: {selector: '{a=\"1\"}', stages: [{json: {expressions: {x: }}}, {labels: {x: }}]}");
  REQUIRE(runner.built());
  runner.labels = Labels({{"a", "1"}});

  runner.Run({"no"});

  const auto& rows = runner.pipeline().counters().rows();
  REQUIRE(!rows.empty());
  CHECK(rows[0]->stage == "json");
  CHECK(rows[0]->index == "0.0");
  CHECK(rows[0]->count.value() == 1);
}

}  // namespace agent
