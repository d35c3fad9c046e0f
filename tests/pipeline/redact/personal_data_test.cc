#include <string>

#include "tests/pipeline/redact/marked.h"

// Comes last: it has a CHECK of its own.
// clang-format off
#include <catch2/catch.hpp>
// clang-format on

namespace agent::redact {
namespace {

TEST_CASE("email: what people write is found, and nothing around it", "[redact]") {
  CHECK(Wrong("email",
              {
                  {"ann@example.com", "<email>"},
                  {"from <ann.smith@example.com>, to", "from <<email>>, to"},
                  {"user=ann+news@mail.sub.example.co.uk;", "user=<email>;"},
                  {"{\"mail\":\"a_b-c%d@x-y.org\"}", "{\"mail\":\"<email>\"}"},
                  {"Mail ann@example.com. Then", "Mail <email>. Then"},
                  {"'ann@example.com'", "'<email>'"},
                  {"mailto:ann@example.com?x", "mailto:<email>?x"},
                  {"a@b.io,c@d.io", "<email>,<email>"},
                  {"ann@example.com-old", "<email>-old"},
                  {"ann@example.com_old", "<email>_old"},
                  {"?mail=ann%40example.com&x=1", "?mail=<email>&x=1"},
                  {"q=mail%3Dann%2Bnews%40example.com", "q=mail%3D<email>"},
                  {"qq 10001@163.com", "qq <email>"},
                  {"m\xC3\xBCller@m\xC3\xBCnchen.de!", "<email>!"},
                  {"\xD0\xB8\xD0\xB2\xD0\xB0\xD0\xBD@\xD0\xBF\xD0\xBE\xD1\x87\xD1\x82\xD0\xB0."
                   "\xD1\x80\xD1\x84 ok",
                   "<email> ok"},
                  {"\xE3\x80\x8C"
                   "ann@example.com\xE3\x80\x8D",
                   "\xE3\x80\x8C<email>\xE3\x80\x8D"},
                  {"ann@xn--mnchen-3ya.xn--p1ai", "<email>"},
                  {"..ann..smith@example.com", "..ann..<email>"},
                  {"ann@example.com@b.org", "<email>@b.org"},
                  {"git@github.com:8080", "<email>:8080"},
              })
            .empty());
}

TEST_CASE("email: near misses stay", "[redact]") {
  CHECK(FoundIn("email",
                {
                    "user@localhost",
                    "@example.com",
                    "ann@",
                    "ann@.com",
                    "ann@example.c",
                    "ann@example.c0m",
                    "ann.@example.com",
                    "ann @example.com",
                    "ann@ example.com",
                    "ann@-example.com",
                    "root@10.0.0.1",
                    "lodash@4.17.21",
                    "react@18.2.0-beta.rc",
                    "started user@1000.service",
                    "getty@tty1.service: done",
                    "icon@2x.png",
                    "ssh://ann@build.example.com/app",
                    "git@github.com:team/app.git",
                    "sha256@abcdef0123456789",
                    "@@@@",
                    std::string(65, 'a') + "@example.com",
                })
            .empty());
}

TEST_CASE("url_credentials: user and password go together", "[redact]") {
  CHECK(Wrong("url_credentials",
              {
                  {"postgres://app:s3cret@db:5432/x", "postgres://<url_credentials>@db:5432/x"},
                  {"'https://a:p@ss@h.example/x'", "'https://<url_credentials>@h.example/x'"},
                  {"amqp://:pw@mq/", "amqp://<url_credentials>@mq/"},
                  {"https://u:%40%3A@h", "https://<url_credentials>@h"},
              })
            .empty());
  CHECK(FoundIn("url_credentials",
                {
                    "https://example.com/@ann:x",
                    "https://token@example.com",
                    "https://user:@example.com",
                    "https://user:***@example.com",
                    "https://user:xxxxx@example.com",
                    "//user:pass@example.com",
                    "time: 12:30@home",
                    "http://example.com:80/a@b",
                })
            .empty());
  CHECK(Marked("https://u:p@example.com/", {"url_credentials", "email"}) ==
        "https://<url_credentials>@example.com/");
}

TEST_CASE("ipv4: addresses with what stands around them", "[redact]") {
  CHECK(Wrong("ipv4",
              {
                  {"10.0.0.1", "<ipv4>"},
                  {"client=192.168.1.254:8080", "client=<ipv4>:8080"},
                  {"from 255.255.255.255/32.", "from <ipv4>/32."},
                  {"[0.0.0.0]", "[<ipv4>]"},
                  {"10.0.0.1-10.0.0.9", "<ipv4>-<ipv4>"},
                  {"10.0.0.1,10.0.0.2 10.0.0.3", "<ipv4>,<ipv4> <ipv4>"},
                  {"http://203.0.113.7/x", "http://<ipv4>/x"},
                  {"::ffff:203.0.113.7", "::ffff:<ipv4>"},
                  {"host/127.0.0.1:9092", "host/<ipv4>:9092"},
                  {"gone 10.0.0.1. Next", "gone <ipv4>. Next"},
                  {"1.0.2.3.", "<ipv4>."},
              })
            .empty());
  CHECK(FoundIn("ipv4",
                {
                    "1.2.3.4.5",
                    "1.2.3",
                    "v1.2.3.4",
                    "1.2.3.4a",
                    "a1.2.3.4",
                    "256.1.1.1",
                    "1.1.1.256",
                    "1.1.1.1000",
                    "1000.1.1.1",
                    "01.2.3.4",
                    "1.2.3.04",
                    "120.0.6099.109",
                    "1..2.3.4",
                    "1.2.3.4.example.com",
                    "libx-1.2.3.4.so",
                    "0.123s 1.5 2.25",
                    "1.2.3.",
                    "x_1.2.3.4",
                })
            .empty());
}

TEST_CASE("ipv6: long, shortened, with ports and names around", "[redact]") {
  CHECK(Wrong("ipv6",
              {
                  {"2001:db8:0:0:8a2e:0:370:7334", "<ipv6>"},
                  {"2001:0db8:0000:0000:8a2e:0000:0370:7334", "<ipv6>"},
                  {"2001:db8::8a2e:370:7334", "<ipv6>"},
                  {"::1", "<ipv6>"},
                  {"at ::1.", "at <ipv6>."},
                  {"fe80::1%eth0", "<ipv6>%eth0"},
                  {"[2001:db8::1]:443", "[<ipv6>]:443"},
                  {"2001:db8::/32", "<ipv6>/32"},
                  {"2001:db8::1: refused", "<ipv6>: refused"},
                  {"2001:DB8::A:1", "<ipv6>"},
                  {"::ffff:192.0.2.1", "<ipv6>"},
                  {"64:ff9b::192.0.2.33", "<ipv6>"},
                  {"1:2:3:4:5:6:192.0.2.1", "<ipv6>"},
                  {"src:2001:db8::1", "src:<ipv6>"},
                  {"src=:::1", "src=:<ipv6>"},
                  {"IP6 2001:db8::1.443 > 2001:db8::2.53: ok", "IP6 <ipv6>.443 > <ipv6>.53: ok"},
                  {"2001:db8:1:2:3:4:5:6:8080", "<ipv6>:8080"},
                  {"1::,::2", "<ipv6>,<ipv6>"},
              })
            .empty());
  CHECK(FoundIn("ipv6",
                {
                    "12:34:56",
                    "10/Oct/2000:13:55:36 -0700",
                    "2023-05-06T07:08:09:123",
                    "std::vector<int>",
                    "a::b",
                    "dead::beef",
                    "std::dead::1",
                    "foo::c1::f2",
                    "::",
                    ":::",
                    "00:1a:2b:3c:4d:5e",
                    "50:01:43:80:12:34:56:78",
                    "aa:bb:cc:dd:ee:ff:00:11:22:33:44:55:66:77:88:99",
                    "1:2:3:4:5:6:7",
                    "12345::1",
                    "1::2::3",
                    "key::value",
                })
            .empty());
}

TEST_CASE("payment_card: every issuer, in one piece and in groups", "[redact]") {
  CHECK(Wrong("payment_card",
              {
                  {"4111111111111111", "<payment_card>"},
                  {"pan=4242424242424242;", "pan=<payment_card>;"},
                  {"\"5555555555554444\"", "\"<payment_card>\""},
                  {"2223003122003222", "<payment_card>"},
                  {"378282246310005", "<payment_card>"},
                  {"6011111111111117", "<payment_card>"},
                  {"30569309025904", "<payment_card>"},
                  {"36227206271667", "<payment_card>"},
                  {"3566002020360505", "<payment_card>"},
                  {"6200000000000005", "<payment_card>"},
                  {"6759649826438453", "<payment_card>"},
                  {"4222222222222", "<payment_card>"},
                  {"4111 1111 1111 1111", "<payment_card>"},
                  {"4111-1111-1111-1111", "<payment_card>"},
                  {"card 3782 822463 10005, ok", "card <payment_card>, ok"},
                  {"3056 930902 5904", "<payment_card>"},
                  {"paid 100 4111 1111 1111 1111 2027", "paid 100 <payment_card> 2027"},
                  {";4111111111111111=2512", ";<payment_card>=2512"},
                  {"4111111111111111.", "<payment_card>."},
                  {"4111111111111111 5555555555554444", "<payment_card> <payment_card>"},
              })
            .empty());
  CHECK(FoundIn("payment_card",
                {
                    "4111111111111112",       "411111111111111",
                    "41111111111111111",      "1111111111111117",
                    "9111111111111111",       "a4111111111111111",
                    "4111111111111111a",      "id_4111111111111111",
                    "0.4111111111111111",     "4111111111111111.5",
                    "14111111111111111",      "411111111111111100001",
                    "4111 11111111 1111",     "4111 1111-1111 1111",
                    "4111  1111  1111  1111", "41 11 11 11 11 11 11 11",
                    "1683356400123",          "1683356400123456789",
                    "2023-05-06 07:08:09",    "12345678-1234-1234-1234-123456789012",
                    "0000000000000000",
                })
            .empty());
}

TEST_CASE("iban: countries of any length, in one piece and in groups", "[redact]") {
  CHECK(Wrong("iban",
              {
                  {"GB82WEST12345698765432", "<iban>"},
                  {"DE89370400440532013000", "<iban>"},
                  {"to DE89 3704 0044 0532 0130 00.", "to <iban>."},
                  {"FR1420041010050500013M02606", "<iban>"},
                  {"NO9386011117947", "<iban>"},
                  {"NO93 8601 1117 947 next", "<iban> next"},
                  {"MT84MALT011000012345MTLCAST001S", "<iban>"},
                  {"iban=NL91ABNA0417164300&x", "iban=<iban>&x"},
                  {"CH9300762011623852957", "<iban>"},
                  {"SA0380000000608010167519", "<iban>"},
                  {"BR9700360305000010009795493P1", "<iban>"},
              })
            .empty());
  CHECK(FoundIn("iban",
                {
                    "GB82WEST12345698765433",
                    "GB82WEST1234569876543",
                    "GB82WEST123456987654321",
                    "XX82WEST12345698765432",
                    "ZZ00",
                    "gb82west12345698765432",
                    "XGB82WEST12345698765432",
                    "_GB82WEST12345698765432",
                    "GB82 WEST12345698765432",
                    "GB82  WEST 1234 5698 7654 32",
                    "DE89-3704-0044-0532-0130-00",
                    "DE89",
                })
            .empty());
}

}  // namespace
}  // namespace agent::redact
