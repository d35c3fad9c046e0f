#include "pipeline/geo/geo_database.h"

#include <arpa/inet.h>
#include <maxminddb.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <cstring>
#include <utility>

#include "base/check.h"

namespace agent {
namespace {

constexpr std::size_t kMaxPath = 7;

// An address as the library takes it.
union SocketAddress {
  sockaddr any;
  sockaddr_in v4;
  sockaddr_in6 v6;
};

// What Go's net.ParseIP takes: no zones, no leading zeros, no ports. An IPv4 address that is
// written as an IPv6 one is an IPv4 address.
std::optional<SocketAddress> ParseAddress(std::string_view text) {
  std::array<char, GeoDatabase::kMaxAddressBytes + 1> copy{};
  if (text.size() >= copy.size() || text.find('\0') != std::string_view::npos) return std::nullopt;
  std::memcpy(copy.data(), text.data(), text.size());
  SocketAddress address{};
  if (inet_pton(AF_INET, copy.data(), &address.v4.sin_addr) == 1) {
    address.v4.sin_family = AF_INET;
    return address;
  }
  in6_addr v6{};
  if (inet_pton(AF_INET6, copy.data(), &v6) != 1) return std::nullopt;
  if (IN6_IS_ADDR_V4MAPPED(&v6)) {
    address.v4.sin_family = AF_INET;
    std::memcpy(&address.v4.sin_addr, &v6.s6_addr[12], sizeof address.v4.sin_addr);
  } else {
    address.v6.sin6_family = AF_INET6;
    address.v6.sin6_addr = v6;
  }
  return address;
}

}  // namespace

struct GeoDatabase::Library {
  // False when there is no such value.
  bool Get(Record record, std::initializer_list<const char*> path, MMDB_entry_data_s& value) const {
    std::array<const char*, kMaxPath + 1> elements{};  // Ends with a null.
    CHECK(path.size() <= kMaxPath);
    std::size_t count = 0;
    for (const char* element : path)
      elements[count++] = element;
    MMDB_entry_s entry{&database, record};
    return MMDB_aget_value(&entry, &value, elements.data()) == MMDB_SUCCESS && value.has_data;
  }

  MMDB_s database{};
  bool open = false;
};

GeoDatabase::GeoDatabase(std::string path)
    : path_(std::move(path)), library_(std::make_unique<Library>()) {}

GeoDatabase::~GeoDatabase() {
  if (library_->open) MMDB_close(&library_->database);
}

Result<std::unique_ptr<GeoDatabase>> GeoDatabase::Open(const std::string& path) {
  // Asked first: opening a pipe would wait for somebody to write.
  struct stat status {};
  if (stat(path.c_str(), &status) != 0) return ErrnoError(errno, "cannot open " + path);
  if (!S_ISREG(status.st_mode)) return Error{ErrorCode::kInvalid, path + " is not a file"};

  std::unique_ptr<GeoDatabase> database(new GeoDatabase(path));
  MMDB_s& opened = database->library_->database;
  const int result = MMDB_open(path.c_str(), MMDB_MODE_MMAP, &opened);
  if (result == MMDB_FILE_OPEN_ERROR) return ErrnoError(errno, "cannot open " + path);
  if (result != MMDB_SUCCESS) {
    return Error{ErrorCode::kInvalid, "cannot read " + path + ": " + MMDB_strerror(result)};
  }
  database->library_->open = true;
  if (opened.metadata.database_type != nullptr) database->type_ = opened.metadata.database_type;
  return database;
}

bool GeoDatabase::IsAddress(std::string_view text) {
  return ParseAddress(text).has_value();
}

Result<std::optional<GeoDatabase::Record>> GeoDatabase::Find(std::string_view address) const {
  const std::optional<SocketAddress> parsed = ParseAddress(address);
  if (!parsed) return std::optional<Record>();
  int error = MMDB_SUCCESS;
  const MMDB_lookup_result_s found =
      MMDB_lookup_sockaddr(&library_->database, &parsed->any, &error);
  if (error == MMDB_IPV6_LOOKUP_IN_IPV4_DATABASE_ERROR) return std::optional<Record>();
  if (error != MMDB_SUCCESS) return Error{ErrorCode::kInvalid, MMDB_strerror(error)};
  return found.found_entry ? std::optional<Record>(found.entry.offset) : std::nullopt;
}

std::string GeoDatabase::Text(Record record, std::initializer_list<const char*> path) const {
  MMDB_entry_data_s value{};
  if (!library_->Get(record, path, value) || value.type != MMDB_DATA_TYPE_UTF8_STRING) return {};
  return {value.utf8_string, value.data_size};
}

std::optional<double> GeoDatabase::Float(Record record,
                                         std::initializer_list<const char*> path) const {
  MMDB_entry_data_s value{};
  if (!library_->Get(record, path, value)) return std::nullopt;
  if (value.type == MMDB_DATA_TYPE_DOUBLE) return value.double_value;
  if (value.type == MMDB_DATA_TYPE_FLOAT) return static_cast<double>(value.float_value);
  return std::nullopt;
}

std::optional<uint64_t> GeoDatabase::Integer(Record record,
                                             std::initializer_list<const char*> path) const {
  MMDB_entry_data_s value{};
  if (!library_->Get(record, path, value)) return std::nullopt;
  if (value.type == MMDB_DATA_TYPE_UINT16) return value.uint16;
  if (value.type == MMDB_DATA_TYPE_UINT32) return value.uint32;
  if (value.type == MMDB_DATA_TYPE_UINT64) return value.uint64;
  return std::nullopt;
}

}  // namespace agent
