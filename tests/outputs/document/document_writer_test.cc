#include "outputs/document/document_writer.h"

#include <memory>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "base/source_progress.h"
#include "outputs/document/document_id.h"
#include "outputs/document/json_text.h"

namespace agent {
namespace {

constexpr int64_t kTime = 1714557600123456789;

std::shared_ptr<SourceProgress> File(const std::string& path, uint64_t id = 7,
                                     uint32_t generation = 0) {
  return std::make_shared<SourceProgress>("job", std::vector<uint64_t>{0}, nullptr,
                                          SourceIdentity{path, id, generation});
}

// Writes entries with the given options; the constants of the agent are left out unless asked for.
struct Bed {
  explicit Bed(DocumentOptions with = {}) : options(std::move(with)) {
    options.remove.insert(options.remove.end(), {"agent", "ecs"});
  }
  std::string Write(std::string_view line, const Labels& labels,
                    const std::vector<Metadata>& metadata = {},
                    const std::vector<Field>& fields = {}, bool from_file = true) {
    if (!writer) writer = std::make_unique<DocumentWriter>(options, sets);
    padded = std::string(line) + std::string(64, '\0');
    Entry entry;
    entry.line = std::string_view(padded).substr(0, line.size());
    entry.labels = sets.Intern(labels);
    entry.timestamp_ns = kTime;
    entry.metadata = metadata;
    entry.fields = fields;
    entry.offset = 42;
    entry.source_bytes = 10;
    GrowingBuffer to;
    writer->Append(to, entry, from_file ? file.get() : nullptr);
    return {to.data(), to.size()};
  }

  DocumentOptions options;
  LabelSets sets;
  std::shared_ptr<SourceProgress> file = File("/var/log/a.log");
  std::unique_ptr<DocumentWriter> writer;
  std::string padded;
};

DocumentOptions Flat() {
  DocumentOptions options;
  options.layout = DocumentLayout::kFlat;
  return options;
}

}  // namespace

TEST_CASE("document: the common schema's names for what is known", "[document]") {
  DocumentOptions options;
  options.host_name = "node-1";
  options.tags = {"a", "b"};
  Bed bed(options);
  CHECK(bed.Write("hello", {{"app.kind", "x"}, {"level", "WARN"}, {"__tenant_id__", "t"}},
                  {{"trace_id", "t1"}, {"user", "u"}}) ==
        R"({"@timestamp":"2024-05-01T10:00:00.123456789Z","message":"hello",)"
        R"("log":{"offset":42,"file":{"path":"/var/log/a.log"},"level":"warn"},)"
        R"("host":{"name":"node-1"},"tags":["a","b"],"trace":{"id":"t1"},"metadata":{"user":"u"},)"
        R"("labels":{"app_kind":"x","level":"WARN"}})");
}

TEST_CASE("document: pods and containers have the names that Beats give them", "[document]") {
  Bed bed;
  CHECK(bed.Write("x", {{"namespace", "n"}, {"pod", "p"}, {"container", "c"}}, {}, {}, false) ==
        R"({"@timestamp":"2024-05-01T10:00:00.123456789Z","message":"x",)"
        R"("kubernetes":{"namespace":"n","pod":{"name":"p"},"container":{"name":"c"}},)"
        R"("container":{"name":"c"},"labels":{"container":"c","namespace":"n","pod":"p"}})");
}

TEST_CASE("document: extracted values have their types, or those that are asked for",
          "[document]") {
  DocumentOptions options = Flat();
  options.fields = {{"n", FieldType::kAsExtracted},    {"i", FieldType::kAsExtracted},
                    {"b", FieldType::kAsExtracted},    {"s", FieldType::kAsExtracted},
                    {"to_i", FieldType::kInteger},     {"to_f", FieldType::kFloat},
                    {"to_b", FieldType::kBool},        {"to_s", FieldType::kString},
                    {"no_number", FieldType::kInteger}};
  Bed bed(options);
  const std::vector<Field> fields = {{"n", Value::Number(200)},
                                     {"i", Value::Integer(-5)},
                                     {"b", Value::Bool(true)},
                                     {"s", Value::String("t")},
                                     {"to_i", Value::String("9223372036854775807")},
                                     {"to_f", Value::String("3")},
                                     {"to_b", Value::String("false")},
                                     {"to_s", Value::Number(1.5)},
                                     {"no_number", Value::String("x")},
                                     {"other", Value::String("not wanted")}};
  CHECK(bed.Write("x", {}, {}, fields, false) ==
        R"({"@timestamp":"2024-05-01T10:00:00.123456789Z","message":"x","n":200.0,"i":-5,)"
        R"("b":true,"s":"t","to_i":9223372036854775807,"to_f":3.0,"to_b":false,"to_s":"1.5",)"
        R"("no_number":null})");
}

TEST_CASE("document: shapes are told apart by labels, by names and by where lines are from",
          "[document]") {
  Bed bed(Flat());
  const std::string start = R"({"@timestamp":"2024-05-01T10:00:00.123456789Z","message":"x")";
  CHECK(bed.Write("x", {{"a", "1"}}, {}, {}, false) == start + R"(,"a":"1"})");
  CHECK(bed.Write("x", {{"a", "2"}}, {}, {}, false) == start + R"(,"a":"2"})");
  CHECK(bed.Write("x", {{"a", "2"}}, {{"m", "1"}}, {}, false) == start + R"(,"m":"1","a":"2"})");
  CHECK(bed.Write("x", {{"a", "2"}}, {{"n", "1"}}, {}, false) == start + R"(,"n":"1","a":"2"})");
  CHECK(bed.Write("x", {{"a", "2"}}) ==
        start + R"(,"log":{"offset":42,"file":{"path":"/var/log/a.log"}},"a":"2"})");
  bed.file = File("/var/log/b.log");
  CHECK(bed.Write("x", {{"a", "2"}}) ==
        start + R"(,"log":{"offset":42,"file":{"path":"/var/log/b.log"}},"a":"2"})");
}

TEST_CASE("document: dots of names that came from logs can be replaced, the layout stays",
          "[document]") {
  DocumentOptions options;
  options.fields = {{"a.b", FieldType::kAsExtracted}, {"x..y", FieldType::kAsExtracted}};
  options.fields_target = "d";
  const std::vector<Field> fields = {{"a.b", Value::Number(1)}, {"x..y", Value::Number(2)}};
  Bed dots(options);
  CHECK(dots.Write("x", {{"a", "1"}}, {{"m.n", "2"}}, fields)
            .find(R"("d":{"a":{"b":1.0},"x__y":2.0},"metadata":{"m":{"n":"2"}})") !=
        std::string::npos);
  options.de_dot = '_';
  Bed none(options);
  const std::string written = none.Write("x", {{"a", "1"}}, {{"m.n", "2"}}, fields);
  CHECK(written.find(R"("d":{"a_b":1.0,"x__y":2.0},"metadata":{"m_n":"2"})") != std::string::npos);
  CHECK(written.find(R"("log":{"offset":42,)") != std::string::npos);
}

TEST_CASE("document: a JSON line can be the document itself", "[document]") {
  DocumentOptions options = Flat();
  options.layout = DocumentLayout::kRaw;
  Bed bed(options);
  const std::string time = R"("@timestamp":"2024-05-01T10:00:00.123456789Z")";
  CHECK(bed.Write("{\"a\": 1,\n \"b\": [1, 2]}", {}) == "{" + time + R"(,"a":1,"b":[1,2]})");
  CHECK(bed.Write("{}", {}) == "{" + time + "}");
  CHECK(bed.Write(R"({"@timestamp":"own"})", {}) == R"({"@timestamp":"own"})");
  CHECK(bed.Write("[1]", {}, {}, {}, false) == "{" + time + R"(,"message":"[1]"})");
  CHECK(bed.Write(R"({"cut)", {}, {}, {}, false) == "{" + time + R"(,"message":"{\"cut"})");
}

TEST_CASE("document: a long line is cut between runes", "[document]") {
  DocumentOptions options = Flat();
  options.max_message_bytes = 4;
  Bed bed(options);
  CHECK(bed.Write("abcüx", {}, {}, {}, false) ==
        R"({"@timestamp":"2024-05-01T10:00:00.123456789Z","message":"abc"})");
}

TEST_CASE("document id: the same for the same lines, another for any other", "[document]") {
  const auto file = File("/a", 7, 1);
  const auto again = File("/renamed", 7, 1);
  const auto other_generation = File("/a", 7, 2);
  Entry entry;
  entry.offset = 100;
  entry.source_bytes = 20;
  const auto id = [](const Entry& of, const SourceProgress& source) {
    return std::string(MakeDocumentId(of, &source, /*salt=*/1).view());
  };
  CHECK(id(entry, *file) == id(entry, *again));
  CHECK(id(entry, *file) != id(entry, *other_generation));
  Entry longer = entry;
  longer.source_bytes = 40;
  CHECK(id(entry, *file) != id(longer, *file));
  Entry later = entry;
  later.offset = 120;
  CHECK(id(entry, *file) != id(later, *file));
  CHECK(id(entry, *file)
            .find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                               "0123456789-_") == std::string::npos);
}

TEST_CASE("document: the members of a JSON line stand at the root", "[document]") {
  DocumentOptions options = Flat();
  options.json = DocumentJson{.under_root = true, .overwrite = true};
  options.remove = {"log"};
  Bed bed(options);

  CHECK(
      bed.Write(R"({"level":"WARN","message":"up","n":1,"f":2.0,"a":{"b":[1,{"c":null}],"d":{}}})",
                {{"level", "info"}, {"app", "x"}}) ==
      R"({"@timestamp":"2024-05-01T10:00:00.123456789Z","level":"WARN","message":"up","n":1,)"
      R"("f":2.0,"a":{"b":[1,{"c":null}],"d":{}},"app":"x"})");
  // Another shape, and the first one again.
  CHECK(bed.Write(R"({"x":18446744073709551615})", {}) ==
        R"({"@timestamp":"2024-05-01T10:00:00.123456789Z","x":18446744073709551615,)"
        R"("message":"{\"x\":18446744073709551615}"})");
  CHECK(bed.Write(R"({"x":true})", {}) ==
        R"({"@timestamp":"2024-05-01T10:00:00.123456789Z","x":true,"message":"{\"x\":true}"})");
}

TEST_CASE("document: what the configuration names comes before what a line says", "[document]") {
  DocumentOptions options = Flat();
  options.json = DocumentJson{.under_root = true, .overwrite = true};
  options.fields = {{"level"}};
  options.add = {{"cluster", "eu"}};
  options.remove = {"log"};
  Bed bed(options);

  CHECK(bed.Write(R"({"level":"info","cluster":"theirs","message":"m"})", {}, {},
                  {{"level", Value::String("INFO")}}) ==
        R"({"@timestamp":"2024-05-01T10:00:00.123456789Z","cluster":"eu","level":"INFO",)"
        R"("message":"m"})");
}

TEST_CASE("document: what is not overwritten stays, whatever a line says", "[document]") {
  DocumentOptions options = Flat();
  options.json = DocumentJson{.under_root = true};
  options.remove = {"log"};
  Bed bed(options);

  CHECK(
      bed.Write(R"({"message":"theirs","app":"theirs","new":1})", {{"app", "ours"}}) ==
      R"({"@timestamp":"2024-05-01T10:00:00.123456789Z",)"
      R"("message":"{\"message\":\"theirs\",\"app\":\"theirs\",\"new\":1}","app":"ours","new":1})");
}

TEST_CASE("document: a line takes no place that receivers know as something else", "[document]") {
  DocumentOptions options = Flat();
  options.json = DocumentJson{.under_root = true, .overwrite = true};
  options.remove = {"log"};
  Bed bed(options);

  CHECK(
      bed.Write(R"({"@timestamp":"x","@metadata":{"_id":"1"},"message":{"a":1}})", {}) ==
      R"({"@timestamp":"2024-05-01T10:00:00.123456789Z",)"
      R"("message":"{\"@timestamp\":\"x\",\"@metadata\":{\"_id\":\"1\"},\"message\":{\"a\":1}}"})");
  CHECK(bed.Write(R"({"message":[1,2]})", {}) ==
        R"({"@timestamp":"2024-05-01T10:00:00.123456789Z","message":"[1,2]"})");
}

TEST_CASE("document: a line that is no JSON object is the message, and may say so", "[document]") {
  DocumentOptions options = Flat();
  options.json = DocumentJson{.under_root = true, .overwrite = true, .add_error = true};
  options.remove = {"log"};
  Bed bed(options);
  const std::string line = GENERATE("plain", "[1]", "{\"a\":", "", "{} x");

  CHECK(bed.Write(line, {}) ==
        R"({"@timestamp":"2024-05-01T10:00:00.123456789Z","message":)" + JsonString(line) +
            R"(,"error":{"message":"the line is no JSON object","type":"json"}})");
}

TEST_CASE("document: the line can be left out where it was decoded", "[document]") {
  DocumentOptions options = Flat();
  options.json = DocumentJson{.under_root = true, .drop_line = true};
  options.remove = {"log"};
  Bed bed(options);
  const std::string time = R"({"@timestamp":"2024-05-01T10:00:00.123456789Z",)";

  CHECK(bed.Write(R"({"a":1})", {}) == time + R"("a":1})");
  CHECK(bed.Write(R"({"a":1,"message":"theirs"})", {}) == time + R"("a":1,"message":"theirs"})");
  CHECK(bed.Write("plain", {}) == time + R"("message":"plain"})");
}

TEST_CASE("document: members may stand under json, too", "[document]") {
  DocumentOptions options = Flat();
  options.json = DocumentJson{};
  options.remove = {"log"};
  Bed bed(options);

  CHECK(bed.Write(R"({"a.b":1,"":2})", {}) ==
        R"({"@timestamp":"2024-05-01T10:00:00.123456789Z","message":"{\"a.b\":1,\"\":2}",)"
        R"("json":{"a":{"b":1},"_":2}})");
}

}  // namespace agent
