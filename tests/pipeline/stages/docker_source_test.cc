#include <catch2/catch.hpp>

#include "tests/pipeline/stages/counted.h"
#include "tests/pipeline/stages/line_runner.h"

namespace agent {
namespace {

constexpr int64_t kSecond = 1683331200;  // 2023-05-06T00:00:00Z

int64_t TimeOf(int second) {
  return (kSecond + second) * kNanosPerSecond;
}

std::string Wrapped(const std::string& log, int second, const std::string& stream = "stdout") {
  return R"({"log":")" + log + R"(","stream":")" + stream + R"(","time":"2023-05-06T00:00:0)" +
         std::to_string(second) + R"(Z"})";
}

// A container with the label c="1", and the label s by stream.
struct Container {
  explicit Container(const std::string& stages = "[]", bool keep_everything = false)
      : runner(stages, LineRunner::Containers{keep_everything}) {
    INFO(runner.problems());
    REQUIRE(runner.built());
    Labels labels;
    labels.Set("c", "1");
    labels.Set("s", "stdout");
    labels.Set("only_out", "yes");
    runner.labels = labels;
    runner.streams.emplace();
    runner.streams->lineage = 7;
    runner.streams->out = runner.sets.Intern(labels);
    Labels err;
    err.Set("c", "1");
    err.Set("s", "stderr");
    runner.streams->err = runner.sets.Intern(err);
  }

  std::vector<std::string> Run(const std::vector<std::string>& lines) {
    return Texts(runner.Run(lines));
  }
  static std::vector<std::string> Texts(const std::vector<LineRunner::Out>& out) {
    std::vector<std::string> texts;
    for (const LineRunner::Out& one : out)
      texts.push_back(one.line);
    return texts;
  }

  LineRunner runner;
};

using Strings = std::vector<std::string>;

}  // namespace

TEST_CASE("docker_sd: entries as reading through the API gives them", "[stages][docker]") {
  Container container;
  const auto out = container.runner.Run({Wrapped("a\\n", 1), Wrapped("b\\n", 2, "stderr")});

  REQUIRE(out.size() == 2);
  CHECK(out[0].line == "a");
  CHECK(out[0].labels == R"({c="1", only_out="yes", s="stdout"})");
  CHECK(out[0].timestamp_ns == TimeOf(1));
  CHECK(out[1].line == "b");
  CHECK(out[1].labels == R"({c="1", s="stderr"})");
  CHECK(out[1].timestamp_ns == TimeOf(2));
  CHECK(container.runner.progress->idle());
}

TEST_CASE("docker_sd: the end of a line is cut, whatever it is made of", "[stages][docker]") {
  Container container;

  CHECK(container.Run({Wrapped("a\\r\\r\\n", 1), Wrapped("\\n", 1), Wrapped("\\r\\n", 1),
                       Wrapped(" b \\t\\n", 1), Wrapped("c\\rd\\n", 1)}) ==
        Strings{"a", "", "", " b \t", "c\rd"});
}

TEST_CASE("docker_sd: pieces are joined by stream, and settle together", "[stages][docker]") {
  Container container;
  const std::vector<std::string> lines = {Wrapped("a", 1), Wrapped("1", 2, "stderr"),
                                          Wrapped("b", 1), Wrapped("x\\n", 2, "stderr"),
                                          Wrapped("c\\n", 1)};

  const auto out = container.runner.Run(lines);
  CHECK(Container::Texts(out) == Strings{"1x", "abc"});
  CHECK(out[1].held_bytes == std::vector<uint64_t>{lines[0].size() + 1, lines[2].size() + 1});
  CHECK(container.runner.progress->Balance(0).in_flight == 0);

  CHECK(container.Run({Wrapped("d", 3)}).empty());
  CHECK(container.runner.progress->Balance(0).in_flight > 0);
  CHECK(container.Run({Wrapped("e\\n", 3)}) == Strings{"de"});
}

TEST_CASE("docker_sd: pieces of another time are another line", "[stages][docker]") {
  Container container;
  CHECK(container.Run({Wrapped("died here", 1)}).empty());
  CHECK(container.Run({Wrapped("started again\\n", 2)}) == Strings{"died here", "started again"});
  CHECK(container.Run({Wrapped("x", 3), Wrapped("y", 4), Wrapped("z\\n", 4)}) ==
        Strings{"x", "yz"});
}

TEST_CASE("docker_sd: what a container wrote last comes out without its end", "[stages][docker]") {
  Container container;
  CHECK(container.Run({Wrapped("no end", 1)}).empty());
  const auto deadline = container.runner.pipeline().NextDeadline();
  REQUIRE(deadline.has_value());

  SECTION("after a while") {
    container.runner.clock.Advance(4 * kNanosPerSecond);
    CHECK(container.runner.Flush(FlushReason::kDeadline).empty());
    container.runner.clock.Advance(kNanosPerSecond);
    CHECK(Container::Texts(container.runner.Flush(FlushReason::kDeadline)) == Strings{"no end"});
  }
  SECTION("not while there is more to read") {
    container.runner.progress->SetUnreadSince(1);
    container.runner.clock.Advance(60 * kNanosPerSecond);
    CHECK_FALSE(container.runner.pipeline().NextDeadline().has_value());
    CHECK(container.runner.Flush(FlushReason::kDeadline).empty());
    CHECK(container.Run({Wrapped(" yet\\n", 1)}) == Strings{"no end yet"});
  }
  SECTION("when its log ends") {
    CHECK(Container::Texts(container.runner.EndOfSource(*container.runner.progress)) ==
          Strings{"no end"});
  }
}

TEST_CASE("docker_sd: containers with the same labels are not mixed", "[stages][docker]") {
  Container container;
  CHECK(container.Run({Wrapped("one ", 1)}).empty());
  container.runner.streams->lineage = 9;
  CHECK(container.Run({Wrapped("two\\n", 1)}) == Strings{"two"});
  container.runner.streams->lineage = 7;
  CHECK(container.Run({Wrapped("whole\\n", 1)}) == Strings{"one whole"});
}

TEST_CASE("docker_sd: a stream that relabelling drops is dropped", "[stages][docker]") {
  Container container;
  container.runner.streams->err.reset();
  const auto& progress = *container.runner.progress;

  CHECK(container.Run({Wrapped("a\\n", 1), Wrapped("b\\n", 1, "stderr")}) == Strings{"a"});
  CHECK(progress.pipeline_dropped_bytes() == Wrapped("b\\n", 1, "stderr").size() + 1);
  REQUIRE(container.runner.pipeline().drops().size() == 1);
  CHECK(container.runner.pipeline().drops()[0]->reason == "relabel");
  CHECK_FALSE(container.runner.pipeline().drops()[0]->promtail_counts);
}

TEST_CASE("docker_sd: what is no line of Docker's stays", "[stages][docker]") {
  Container container;
  const std::string odd =
      R"({"stream":"stderr","log":"odd\n","time":"2023-05-06T00:00:01Z","x":1})";
  const std::string broken = R"({"log":"cut of)";
  const auto out = container.runner.Run({odd, broken, R"({"log":7})", ""});

  CHECK(Container::Texts(out) == Strings{"odd", broken, R"({"log":7})", ""});
  CHECK(out[0].timestamp_ns == TimeOf(1));
  CHECK(out[0].labels == R"({c="1", s="stderr"})");
  CHECK(out[1].timestamp_ns == container.runner.clock.WallNanos());
  CHECK(Failures(container.runner.pipeline().counters()) == "malformed 3");
}

TEST_CASE("docker_sd: the stages behind it see the labels of the stream as extracted values",
          "[stages][docker]") {
  const bool keep_everything = GENERATE(false, true);
  Container container(R"(
- template: {source: seen, template: '{{ .s }}/{{ .only_out }}/{{ .c }} {{ .Entry }}'}
- labels: {again: s}
- output: {source: seen}
)",
                      keep_everything);
  const auto out =
      container.runner.Run({Wrapped("a\\n", 1), Wrapped("b\\n", 1, "stderr"), Wrapped("c\\n", 1)});

  CHECK(Container::Texts(out) ==
        Strings{"stdout/yes/1 a", "stderr/<no value>/1 b", "stdout/yes/1 c"});
  CHECK(out[1].labels == R"({again="stderr", c="1", s="stderr"})");
  CHECK(container.runner.pipeline().built_in_stages() == 1);
  CHECK(container.runner.pipeline().stages()[0]->name == "docker_sd");
}

TEST_CASE("docker_sd: a stage docker behind it does no harm", "[stages][docker]") {
  Container container("[docker: {}]");

  CHECK(container.Run({Wrapped("plain\\n", 1), Wrapped(R"({\"log\":\"inner\"})"
                                                       "\\n",
                                                       1)}) == Strings{"plain", "inner"});
  CHECK(Failures(container.runner.pipeline().counters()).empty());
}

TEST_CASE("docker_sd: plain files of the same job are left alone", "[stages][docker]") {
  Container container;
  container.runner.streams.reset();

  CHECK(container.Run({Wrapped("a\\n", 1)}) == Strings{Wrapped("a\\n", 1)});
}

}  // namespace agent
