#include "outputs/buffer/buffer_store.h"

#include <sys/resource.h>
#include <unistd.h>

#include <csignal>
#include <string>

#include <catch2/catch.hpp>

#include "outputs/buffer/buffer_folder.h"
#include "tests/outputs/buffer/store_bed.h"

namespace agent {
namespace {

TEST_CASE("buffer store: batches come back in order, and go when they are settled", "[buffer]") {
  StoreBed bed;
  bed.Append(1, "one", 2);
  bed.Append(5, "five", 3);

  auto first = bed.store->ReadNext();
  auto second = bed.store->ReadNext();

  REQUIRE(first);
  REQUIRE(second);
  CHECK(BodyText(*first) == "one");
  CHECK(BodyText(*second) == "five");
  CHECK_FALSE(bed.store->ReadNext());
  CHECK(bed.store->Stats().entries == 5);
  CHECK(bed.store->Stats().oldest_wall_ns == kNanosPerSecond);
  bed.store->Settle(5);
  CHECK(bed.store->Stats().batches == 1);
  CHECK(bed.Segments().size() == 1);
  bed.store->Settle(1);
  CHECK(bed.store->Stats().batches == 0);
  CHECK(bed.Segments().empty());
  CHECK(bed.quota.used_bytes == 0);
}

TEST_CASE("buffer store: a restart goes on behind what was settled", "[buffer]") {
  StoreBed bed;
  for (uint64_t id = 1; id <= 4; ++id)
    bed.Append(id);
  CHECK(bed.ReadAll() == Ids{1, 2, 3, 4});
  bed.store->Settle(1);
  bed.store->Settle(3);  // Not before 2 is: it comes again.

  bed.Open();

  CHECK(bed.store->read_id() == 1);
  CHECK(bed.store->next_id() == 5);
  CHECK(bed.store->Stats().batches == 3);
  CHECK(bed.ReadAll() == Ids{2, 3, 4});
}

TEST_CASE("buffer store: ids are never given out again", "[buffer]") {
  StoreBed bed;
  bed.Append(7);
  CHECK(bed.ReadAll() == Ids{7});
  bed.store->Settle(7);
  CHECK(bed.Segments().empty());

  bed.Open();

  CHECK(bed.store->next_id() == 8);
  bed.Append(8);
  CHECK(bed.ReadAll() == Ids{8});
}

TEST_CASE("buffer store: what is with the receiver already is not read", "[buffer]") {
  StoreBed bed;
  REQUIRE(bed.store->Append(MakeStored(1, "a"), /*already_sent=*/true).ok());
  REQUIRE(bed.store->Append(MakeStored(2, "b"), /*already_sent=*/true).ok());
  bed.Append(3);
  CHECK(bed.ReadAll() == Ids{3});
  bed.store->Settle(2);
  bed.store->Settle(1);

  bed.Open();

  CHECK(bed.ReadAll() == Ids{3});
}

TEST_CASE("buffer store: segments are small, and go one by one", "[buffer]") {
  StoreBed bed;
  bed.options.segment_bytes = 400;
  bed.Open();
  for (uint64_t id = 1; id <= 6; ++id)
    bed.Append(id, "0123456789");
  const std::size_t segments = bed.Segments().size();
  CHECK(segments > 1);
  CHECK(bed.ReadAll() == Ids{1, 2, 3, 4, 5, 6});

  bed.Open();
  CHECK(bed.ReadAll() == Ids{1, 2, 3, 4, 5, 6});
  for (uint64_t id = 1; id <= 5; ++id)
    bed.store->Settle(id);

  CHECK(bed.Segments().size() == 1);
  bed.store->Settle(6);
  CHECK(bed.Segments().empty());
}

TEST_CASE("buffer store: its bounds are kept", "[buffer]") {
  StoreBed bed;
  bed.options.segment_bytes = 600;
  bed.quota.max_bytes = 1000;
  bed.Open();
  uint64_t id = 0;
  Status appended;
  do
    appended = bed.store->Append(MakeStored(++id, "0123456789"), false);
  while (appended.ok());

  CHECK(appended.error().code == ErrorCode::kNoSpace);
  CHECK(bed.quota.used_bytes <= 1000);
  CHECK(bed.store->Stats().batches == id - 1);

  const auto dropped = bed.store->DropOldest();
  REQUIRE(dropped);
  CHECK(dropped->batches > 0);
  CHECK(bed.store->Append(MakeStored(id, "0123456789"), false).ok());
  const Ids left = bed.ReadAll();
  CHECK(left.front() == dropped->batches + 1);
  CHECK(left.back() == id);
}

TEST_CASE("buffer store: what was read of a dropped segment is settled without harm", "[buffer]") {
  StoreBed bed;
  bed.Append(1);
  bed.Append(2);
  REQUIRE(bed.store->ReadNext());

  const auto dropped = bed.store->DropOldest();

  REQUIRE(dropped);
  CHECK(dropped->batches == 1);
  CHECK_FALSE(bed.store->DropOldest());
  bed.store->Settle(1);
  bed.Append(3);
  CHECK(bed.ReadAll() == Ids{3});
  CHECK(bed.store->Stats().batches == 1);
}

TEST_CASE("buffer store: so much of the disk stays free", "[buffer]") {
  StoreBed bed;
  bed.quota.min_free_bytes = uint64_t{1} << 60;

  const Status appended = bed.store->Append(MakeStored(1, "x"), false);

  REQUIRE_FALSE(appended.ok());
  CHECK(appended.error().code == ErrorCode::kNoSpace);
}

TEST_CASE("buffer store: a disk that takes no more leaves whole blocks", "[buffer]") {
  StoreBed bed;
  bed.Append(1, "first");
  std::signal(SIGXFSZ, SIG_IGN);
  rlimit old{};
  REQUIRE(::getrlimit(RLIMIT_FSIZE, &old) == 0);
  const rlimit small{std::filesystem::file_size(bed.Segments()[0]) + 20, old.rlim_max};
  REQUIRE(::setrlimit(RLIMIT_FSIZE, &small) == 0);

  const Status appended = bed.store->Append(MakeStored(2, "second"), false);

  REQUIRE(::setrlimit(RLIMIT_FSIZE, &old) == 0);
  CHECK_FALSE(appended.ok());
  bed.Append(2, "second");
  bed.Open();
  CHECK(bed.ReadAll() == Ids{1, 2});
  CHECK(bed.store->counters().corrupt_bytes == 0);
}

TEST_CASE("buffer store: after a failed sync everything is written again", "[buffer]") {
  StoreBed bed;
  bed.Append(1);
  REQUIRE(bed.store->Sync().ok());
  bed.Append(2);
  bed.Append(3);
  CHECK(bed.ReadAll() == Ids{1, 2, 3});

  bed.store->DiscardUnsynced();
  bed.Append(2);
  bed.Append(3);
  bed.Append(4);

  CHECK(bed.ReadAll() == Ids{4});
  bed.Open();
  CHECK(bed.ReadAll() == Ids{1, 2, 3, 4});
  CHECK(bed.store->counters().corrupt_batches == 0);
}

TEST_CASE("buffer store: segments of another kind of output are left alone", "[buffer]") {
  StoreBed bed;
  bed.Append(1);
  bed.options.kind = "elasticsearch";

  bed.Open();

  CHECK(bed.ReadAll().empty());
  CHECK(bed.Segments().size() == 1);
}

TEST_CASE("buffer folder: one process at a time", "[buffer]") {
  const TempDir folder(TempDir::InMemory());
  int64_t holder = 0;
  auto first = LockFolder(folder.path() + "/b", holder);
  REQUIRE(first.ok());

  auto second = LockFolder(folder.path() + "/b", holder);

  REQUIRE_FALSE(second.ok());
  CHECK(second.error().code == ErrorCode::kUnavailable);
  CHECK(holder == ::getpid());
  first->Reset();
  CHECK(LockFolder(folder.path() + "/b", holder).ok());
}

TEST_CASE("buffer folder: any name becomes that of one folder", "[buffer]") {
  CHECK(FileNameOf("team-a_1.x") == "team-a_1.x");
  CHECK(FileNameOf("../x") == "%2E.%2Fx");
  CHECK(FileNameOf("ä") == "%C3%A4");
  CHECK(FileNameOf(std::string(400, 'a')).size() < 200);
  CHECK(FileNameOf(std::string(400, 'a')) != FileNameOf(std::string(401, 'a')));
}

}  // namespace
}  // namespace agent
