// A MaxMind database (.mmdb): what is known about the network that an IP address belongs to.

#pragma once

#include <cstdint>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace agent {

// Opened once, read by any thread. The file is mapped, not read: whoever brings a new one must put
// it in place by renaming, not by writing into the old one.
class GeoDatabase {
 public:
  // kInvalid: no database, or a damaged one. The message names the path.
  static Result<std::unique_ptr<GeoDatabase>> Open(const std::string& path);
  GeoDatabase(const GeoDatabase&) = delete;
  GeoDatabase& operator=(const GeoDatabase&) = delete;
  ~GeoDatabase();

  [[nodiscard]] const std::string& path() const { return path_; }
  // "GeoLite2-City".
  [[nodiscard]] const std::string& type() const { return type_; }

  // Where a record stands in the database; many addresses have the same one.
  using Record = uint32_t;
  static bool IsAddress(std::string_view text);
  // The record of an address, as text. nullopt: no IP address, or nothing is known about it.
  // kInvalid: the database is damaged there.
  Result<std::optional<Record>> Find(std::string_view address) const;

  // A value of a record, by its path: {"city", "names", "en"}. In a list a number is an index, -1
  // the last one. Empty or nullopt where there is none of that type.
  std::string Text(Record record, std::initializer_list<const char*> path) const;
  std::optional<double> Float(Record record, std::initializer_list<const char*> path) const;
  std::optional<uint64_t> Integer(Record record, std::initializer_list<const char*> path) const;

  // The longest text that can be an address.
  static constexpr std::size_t kMaxAddressBytes = 45;

 private:
  struct Library;  // What the library needs.

  explicit GeoDatabase(std::string path);

  const std::string path_;
  std::string type_;
  std::unique_ptr<Library> library_;
};

}  // namespace agent
