#include "outputs/elasticsearch/delivery.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <catch2/catch.hpp>

#include "outputs/elasticsearch/bulk_encoder.h"
#include "tests/support/fake_clock.h"
#include "tests/support/temp_dir.h"

namespace agent::elasticsearch {
namespace {

using Lines = std::vector<std::string>;
using Kind = NextStep::Kind;

HttpResponse Status(int status, std::string body = "") {
  HttpResponse response;
  response.status = status;
  response.status_text = "Text";
  response.body = std::move(body);
  if (status == 0) response.error = "connection refused";
  return response;
}

// A batch of `lines`, on its way.
class Bed {
 public:
  explicit Bed(const Lines& lines, int compression_level = 1) {
    options.name = "search";
    options.index = *EventPattern::Parse("i");
    options.compression_level = compression_level;
    BulkEncoder encoder(options, {0, 1, sets, budget}, counters, [this](Batch batch) {
      delivery = std::make_unique<Delivery>(std::move(batch), context, Random(1));
    });
    encoder.BeginSource(source);
    uint64_t offset = 0;
    for (const std::string& line : lines) {
      const std::string padded = line + std::string(64, '\0');
      Entry entry;
      entry.line = std::string_view(padded).substr(0, line.size());
      entry.offset = offset;
      entry.source_bytes = static_cast<uint32_t>(line.size() + 1);
      encoder.Add(entry, 1);
      offset += entry.source_bytes;
    }
    source->Advance(
        {.end = offset, .read_bytes = offset, .dropped_bytes = 0, .lines = lines.size()});
    if (compression_level > 0) context.deflater = &deflater;
    encoder.Flush(INT64_MAX);
  }

  // The lines of the request that is sent next.
  Lines Sent() {
    const std::string_view body = delivery->body();
    Bytes bytes{std::make_unique<char[]>(body.size()), body.size()};
    std::copy(body.begin(), body.end(), bytes.data.get());
    // The size is not known here: that of zlib's streams ends the gzip's.
    std::size_t raw = body.size();
    if (delivery->compressed()) {
      raw = 0;
      for (std::size_t i = 0; i < 4; ++i)
        raw |= std::size_t{static_cast<unsigned char>(body[body.size() - 4 + i])} << (8 * i);
    }
    const auto parsed = BulkBody::Parse(bytes, raw, delivery->compressed());
    REQUIRE(parsed.ok());
    Lines lines;
    for (std::size_t i = 0; i < parsed->size(); ++i) {
      const std::string document(parsed->At(i).document);
      const std::size_t begin = document.find("\"message\":\"") + 11;
      lines.push_back(document.substr(begin, document.find('"', begin) - begin));
    }
    return lines;
  }
  NextStep Answer(const std::vector<int>& statuses, const std::string& type = "some_error") {
    std::string body = R"({"errors":true,"items":[)";
    for (const int status : statuses) {
      if (body.back() == '}') body += ',';
      body += R"({"create":{"status":)" + std::to_string(status);
      if (status > 299) body += R"(,"error":{"type":")" + type + R"(","reason":"because"})";
      body += "}}";
    }
    return delivery->OnAnswer(Status(200, body + "]}"));
  }
  LedgerBalance Finished() {
    REQUIRE(delivery->done());
    delivery->Finish();
    return source->Balance(0);
  }
  std::string DeadLetters() {
    std::string text;
    for (const auto& file : std::filesystem::directory_iterator(folder.path())) {
      std::ifstream in(file.path());
      text.append(std::istreambuf_iterator<char>(in), {});
    }
    return text;
  }

  TempDir folder;
  LabelSets sets;
  MemoryBudget budget{std::size_t{64} << 20};
  FakeClock clock;
  Logger logger{2, LogLevel::kError, LogFormat::kLogfmt};
  DeadLetter dead_letter{{folder.path(), 1 << 20}, clock, logger};
  ElasticsearchOptions options;
  std::shared_ptr<OutputCounters> counters = std::make_shared<OutputCounters>();
  DeliveryContext context{.options = options,
                          .counters = *counters,
                          .clock = clock,
                          .logger = logger,
                          .dead_letter = dead_letter};
  Deflater deflater{DeflateFormat::kGzip, 1};
  std::shared_ptr<SourceProgress> source = std::make_shared<SourceProgress>(
      "job", std::vector<uint64_t>{0}, nullptr, SourceIdentity{"/var/log/a.log", 7, 0});
  std::unique_ptr<Delivery> delivery;
};

}  // namespace

TEST_CASE("delivery: all stored, or there already: done", "[es]") {
  Bed bed({"a", "b"});
  CHECK(bed.Sent() == Lines{"a", "b"});
  CHECK(bed.Answer({201, 409}).kind == Kind::kDone);
  CHECK(bed.Finished().settled == 4);
  CHECK(bed.counters->sent_entries == 2);
  CHECK(bed.counters->duplicates == 1);
}

TEST_CASE("delivery: only what failed is sent again, in its order", "[es]") {
  const int compression_level = GENERATE(0, 1);
  Bed bed({"a", "b", "c", "d"}, compression_level);
  bed.Sent();
  const NextStep step = bed.Answer({429, 201, 503, 201});
  CHECK(step.kind == Kind::kWaitAll);
  CHECK(step.delay.count() >= 500);
  CHECK(bed.Sent() == Lines{"a", "c"});
  CHECK(bed.Answer({201, 201}).kind == Kind::kDone);
  CHECK(bed.Finished().settled == 8);
}

TEST_CASE("delivery: a refused document goes to the dead letter, the others are stored", "[es]") {
  Bed bed({"good", "bad"});
  bed.Sent();
  CHECK(bed.Answer({201, 400}, "mapper_parsing_exception").kind == Kind::kDone);
  const LedgerBalance balance = bed.Finished();
  CHECK(balance.settled == 5);
  CHECK(balance.dropped == 4);
  const std::string letters = bed.DeadLetters();
  CHECK(letters.find(R"("reason":"mapper_parsing_exception: because")") != std::string::npos);
  CHECK(letters.find(R"("index":"i")") != std::string::npos);
  CHECK(letters.find(R"("status":400)") != std::string::npos);
  CHECK(letters.find(R"("message":"bad")") != std::string::npos);
  CHECK(letters.find(R"("source":"/var/log/a.log","offset":5})") != std::string::npos);
}

TEST_CASE("delivery: a blocked index keeps its documents waiting, and nobody else", "[es]") {
  Bed bed({"a", "b"});
  bed.Sent();
  const NextStep step = bed.Answer({201, 429}, "cluster_block_exception");
  CHECK(step.kind == Kind::kWaitThis);
  CHECK(step.delay.count() >= 30'000);
  CHECK(bed.delivery->holding());
  CHECK(bed.Sent() == Lines{"b"});
  CHECK(bed.Answer({201}).kind == Kind::kDone);
}

TEST_CASE("delivery: a request that is too large is halved down to one document", "[es]") {
  Bed bed({"a", "b", "c"});
  bed.Sent();
  CHECK(bed.delivery->OnAnswer(Status(413)).kind == Kind::kSend);
  CHECK(bed.Sent() == Lines{"a"});
  CHECK(bed.Answer({201}).kind == Kind::kSend);
  CHECK(bed.Sent() == Lines{"b", "c"});
  CHECK(bed.delivery->OnAnswer(Status(413)).kind == Kind::kSend);
  CHECK(bed.Sent() == Lines{"b"});
  CHECK(bed.delivery->OnAnswer(Status(413)).kind == Kind::kSend);
  CHECK(bed.Sent() == Lines{"c"});
  CHECK(bed.Answer({201}).kind == Kind::kDone);
  CHECK(bed.Finished().dropped == 2);
  CHECK(bed.DeadLetters().find(R"("message":"b")") != std::string::npos);
  CHECK(bed.context.max_raw_bytes > 0);
}

TEST_CASE("delivery: a yes that does not fit is no yes; after ten it waits longer", "[es]") {
  Bed bed({"a", "b"});
  for (int i = 0; i < 10; ++i) {
    bed.Sent();
    CHECK(bed.Answer({201}).kind == Kind::kWaitAll);
    CHECK_FALSE(bed.delivery->holding());
  }
  bed.Sent();
  const NextStep step = bed.delivery->OnAnswer(Status(200, ""));
  CHECK(step.delay.count() >= 30'000);
  CHECK(bed.delivery->holding());
  bed.Sent();
  CHECK(bed.Answer({201, 201}).kind == Kind::kDone);
}

TEST_CASE("delivery: hosts that fail are left for another one at once", "[es]") {
  const int status = GENERATE(0, 408, 502, 503, 504);
  Bed bed({"a"});
  bed.Sent();
  const NextStep step = bed.delivery->OnAnswer(Status(status));
  CHECK(step.kind == Kind::kSend);
  CHECK(step.host_failed);
}

TEST_CASE("delivery: credentials and addresses are waited for", "[es]") {
  const int status = GENERATE(301, 401, 403, 404, 405);
  Bed bed({"a"});
  bed.Sent();
  const NextStep step = bed.delivery->OnAnswer(Status(status));
  CHECK(step.kind == Kind::kWaitAll);
  CHECK(step.delay.count() >= 30'000);
  CHECK(bed.delivery->holding());
}

TEST_CASE("delivery: who takes no gzip gets none", "[es]") {
  Bed bed({"a", "b"});
  bed.Sent();
  CHECK(bed.delivery->OnAnswer(Status(415)).kind == Kind::kSend);
  CHECK_FALSE(bed.delivery->compressed());
  CHECK(bed.Sent() == Lines{"a", "b"});
  CHECK(bed.delivery->OnAnswer(Status(415)).kind == Kind::kWaitAll);
}

TEST_CASE("delivery: Retry-After is waited for", "[es]") {
  Bed bed({"a"});
  bed.Sent();
  HttpResponse response = Status(429);
  response.headers["retry-after"] = "120";
  CHECK(bed.delivery->OnAnswer(response).delay.count() >= 120'000);
}

TEST_CASE("delivery: attempts that are used up end in the dead letter", "[es]") {
  Bed bed({"a"});
  bed.options.max_retries = 2;
  bed.Sent();
  CHECK(bed.delivery->OnAnswer(Status(500)).kind == Kind::kWaitAll);
  bed.Sent();
  CHECK(bed.delivery->OnAnswer(Status(500)).kind == Kind::kDone);
  CHECK(bed.Finished().dropped == 2);
}

TEST_CASE("delivery: what fails always while others pass is found and put aside", "[es]") {
  Bed bed({"a", "b"});
  Kind kind = Kind::kWaitAll;
  int attempts = 0;
  Lines sent;
  for (; kind != Kind::kDone && attempts < 100; ++attempts) {
    sent = bed.Sent();
    ++bed.context.accepted;  // Another batch.
    kind = sent == Lines{"a"} ? bed.Answer({201}).kind : bed.delivery->OnAnswer(Status(500)).kind;
  }
  CHECK(kind == Kind::kDone);
  const LedgerBalance balance = bed.Finished();
  CHECK(balance.settled == 2);
  CHECK(balance.dropped == 2);
}

TEST_CASE("delivery: an index that takes no ids is an error of the configuration", "[es]") {
  Bed bed({"a", "b"});
  bed.Sent();
  const NextStep step = bed.Answer({400, 400}, "custom _id not allowed");
  CHECK(step.kind == Kind::kWaitAll);
  CHECK(bed.delivery->last_error().find("id_mode: none") != std::string::npos);
  CHECK(bed.Sent() == Lines{"a", "b"});
}

TEST_CASE("delivery: a document refused for an hour while others pass is put aside", "[es]") {
  Bed bed({"a"});
  bed.Sent();
  CHECK(bed.Answer({503}).kind == Kind::kWaitAll);
  bed.clock.Advance(2 * 3600 * kNanosPerSecond);
  bed.Sent();
  CHECK(bed.Answer({503}).kind == Kind::kWaitAll);  // Nothing else has passed.
  ++bed.context.accepted;
  bed.Sent();
  CHECK(bed.Answer({503}).kind == Kind::kDone);
  CHECK(bed.Finished().dropped == 2);
}

TEST_CASE("delivery: a host that is down casts no suspicion on what was to be sent to it", "[es]") {
  Bed bed({"a"});
  HttpResponse nobody = Status(0);
  nobody.never_sent = true;

  for (int i = 0; i < 20; ++i) {
    bed.Sent();
    CHECK(bed.delivery->OnAnswer(nobody).host_failed);
  }
  CHECK(bed.delivery->suspicion() == 0);

  // What happened after it was sent may have come of it.
  for (const int status : {0, 408, 500, 502, 503}) {
    bed.Sent();
    bed.delivery->OnAnswer(Status(status));
  }
  CHECK(bed.delivery->suspicion() == 5);
}

}  // namespace agent::elasticsearch
