#include <sys/stat.h>

#include <fstream>

#include "pipeline/stages/stages.h"
#include "tests/pipeline/stages/counted.h"
#include "tests/support/padded_text.h"
#include "tests/support/temp_dir.h"

// Comes last: it brings Catch's CHECK.
#include "tests/pipeline/stages/stage_fixture.h"

namespace agent {
namespace {

std::string Counted(const StageFixture& stage) {
  return Counted(stage.counters, "agent_redactions_total");
}

std::string Problems(const std::string& yaml) {
  return StageFixture(MakeRedactStage, yaml).problems();
}

TEST_CASE("redact: counts each value under its detector", "[stages][redact]") {
  StageFixture stage(MakeRedactStage, "{detectors: [all]}");
  const EntryIndex entry = stage.Add("a@b.org 10.0.0.1 c@d.org");
  stage.Add("nothing");

  stage.Run();

  CHECK(stage.Line(entry) == "<redacted:email> <redacted:ipv4> <redacted:email>");
  CHECK(Counted(stage) == "email 2, ipv4 1");
}

TEST_CASE("redact: observing counts and changes nothing", "[stages][redact]") {
  StageFixture stage(MakeRedactStage, "{mode: observe}");
  const EntryIndex entry = stage.Add("a@b.org");

  stage.Run();

  CHECK(stage.Line(entry) == "a@b.org");
  CHECK(Counted(stage) == "email 1");
}

TEST_CASE("redact: a line without a value stays where it lies", "[stages][redact]") {
  StageFixture stage(MakeRedactStage, "{}");
  const EntryIndex entry = stage.Add("GET /index.html 200");
  const char* const before = stage.block().Line(entry).data();

  stage.Run();

  CHECK(stage.block().Line(entry).data() == before);
}

TEST_CASE("redact: bytes that are no UTF-8 stay as they are", "[stages][redact]") {
  StageFixture stage(MakeRedactStage, "{}");
  const EntryIndex entry = stage.Add("\xFF\xC3 a@b.org \xE2\x82");

  stage.Run();

  CHECK(stage.Line(entry) == "\xFF\xC3 <redacted:email> \xE2\x82");
}

TEST_CASE("redact: a value that comes to light when its neighbour is gone goes too",
          "[stages][redact]") {
  StageFixture stage(MakeRedactStage, "{detectors: [all]}");
  const EntryIndex entry = stage.Add("Bearer fe80aexample//example::fe80");

  stage.Run();

  CHECK(stage.Line(entry) == "Bearer <redacted:bearer_token><redacted:ipv6>");
  CHECK(Counted(stage) == "ipv6 1, bearer_token 1");
}

TEST_CASE("redact: a number of any kind is looked at by its digits", "[stages][redact]") {
  StageFixture stage(MakeRedactStage, "{fields: [pan]}", {"pan"});
  const PaddedText digits("4111111111111111");
  const EntryIndex integer = stage.Add("", {{"pan", Value::Integer(4111111111111111)}});
  const EntryIndex number = stage.Add("", {{"pan", Value::Number(4111111111111111)}});
  const EntryIndex literal = stage.Add("", {{"pan", Value::Number(4.1e15, digits.view())}});
  const EntryIndex other = stage.Add("", {{"pan", Value::Number(4111.5)}});

  stage.Run();

  for (const EntryIndex entry : {integer, number, literal})
    CHECK(stage.Extracted(entry, "pan") == "<redacted:payment_card>");
  CHECK(stage.Extracted(other, "pan") == "4111.5");
}

TEST_CASE("redact: the key may come from a file", "[stages][redact]") {
  const TempDir dir;
  const std::string path = dir.path() + "/key";
  std::ofstream(path) << "0123456789abcdef\n";
  chmod(path.c_str(), 0600);
  StageFixture stage(MakeRedactStage, "{mode: hash, key_file: '" + path + "'}");
  INFO(stage.problems());
  REQUIRE(stage.built());
  const EntryIndex entry = stage.Add("ann@example.com");

  stage.Run();

  CHECK(stage.Line(entry) == "<email:9f70eb4f1d9f0194>");
  chmod(path.c_str(), 0644);
  CHECK_THAT(Problems("{mode: hash, key_file: '" + path + "'}"),
             Catch::Contains("everybody on this machine may read the key; chmod 600"));
}

TEST_CASE("redact: what is wrong is reported", "[stages][redact]") {
  CHECK_THAT(Problems("{detectors: [emial]}"),
             Catch::Contains("unknown detector 'emial'; did you mean 'email'?"));
  CHECK_THAT(Problems("{detectors: []}"), Catch::Contains("no detector"));
  CHECK_THAT(Problems("{detectors: email}"), Catch::Contains("write [email]"));
  CHECK_THAT(Problems("{mode: hide}"), Catch::Contains("mask"));
  CHECK_THAT(Problems("{mode: hash}"), Catch::Contains("mode hash needs a key"));
  CHECK_THAT(Problems("{mode: hash, key: short}"), Catch::Contains("shorter than 16 characters"));
  CHECK_THAT(Problems("{mode: hash, key: 0123456789abcdef, key_file: /x}"),
             Catch::Contains("exclude one another"));
  CHECK_THAT(Problems("{mode: hash, key_file: /nowhere/key}"), Catch::Contains("/nowhere/key"));
  CHECK_THAT(Problems("{mode: hash, key: 0123456789abcdef, replacement: x}"),
             Catch::Contains("mode hash needs '{hash}'"));
  CHECK_THAT(Problems("{replacement: '{hash}'}"), Catch::Contains("needs mode: hash"));
  CHECK_THAT(Problems("{replacement: {emial: x}}"), Catch::Contains("unknown detector 'emial'"));
  CHECK_THAT(Problems("{replacement: 'to a@b.org'}"), Catch::Contains("would be redacted again"));
  CHECK_THAT(Problems("{allow: ['/[a/']}"), Catch::Contains("missing closing"));
  CHECK_THAT(Problems("{source: ''}"), Catch::Contains("empty source"));
  CHECK_THAT(Problems("{key: 0123456789abcdef}"), Catch::Contains("no effect without mode: hash"));
}

}  // namespace
}  // namespace agent
