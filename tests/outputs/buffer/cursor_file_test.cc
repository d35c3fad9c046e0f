#include "outputs/buffer/cursor_file.h"

#include <string>

#include <catch2/catch.hpp>

#include "tests/outputs/buffer/store_bed.h"

namespace agent {
namespace {

TEST_CASE("buffer cursor: is what was written last", "[buffer]") {
  const TempDir folder(TempDir::InMemory());
  const std::string path = folder.path() + "/cursor";
  {
    auto cursor = CursorFile::Open(path);
    REQUIRE(cursor.ok());
    CHECK(cursor->id() == 0);
    REQUIRE(cursor->Write(5).ok());
    REQUIRE(cursor->Write(6).ok());
  }
  CHECK(CursorFile::Peek(path) == 6);
  auto cursor = CursorFile::Open(path);
  REQUIRE(cursor.ok());
  CHECK(cursor->id() == 6);
}

TEST_CASE("buffer cursor: what is known to be on the disk is not written over", "[buffer]") {
  const TempDir folder(TempDir::InMemory());
  const std::string path = folder.path() + "/cursor";
  auto cursor = CursorFile::Open(path);
  REQUIRE(cursor.ok());
  REQUIRE(cursor->Write(10).ok());
  REQUIRE(cursor->Sync().ok());
  REQUIRE(cursor->Write(11).ok());
  REQUIRE(cursor->Write(12).ok());
  const std::string whole = FileText(path);

  // Whatever becomes of the write that was not synced: a byte of it wrong, or it was cut.
  const std::size_t second = whole.size() - 32;
  for (std::size_t i = 0; i < 32; ++i) {
    std::string torn = whole;
    torn[second + i] = static_cast<char>(torn[second + i] ^ 0x10);
    WriteFile(path, torn);
    CHECK(CursorFile::Peek(path) == 10);
    WriteFile(path, whole.substr(0, second + i));
    CHECK(CursorFile::Peek(path) == 10);
  }
  WriteFile(path, whole);
  CHECK(CursorFile::Peek(path) == 12);
}

TEST_CASE("buffer cursor: garbage is a fresh start, and a missing file too", "[buffer]") {
  const TempDir folder(TempDir::InMemory());
  WriteFile(folder.path() + "/cursor", std::string(9000, '\x5a'));

  CHECK(CursorFile::Peek(folder.path() + "/cursor") == 0);
  CHECK(CursorFile::Peek(folder.path() + "/none") == 0);
}

}  // namespace
}  // namespace agent
