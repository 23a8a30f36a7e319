#include "runtime/sockets.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

namespace weir::runtime {
namespace {

using ::testing::HasSubstr;

uint16_t port_of(int fd) {
  sockaddr_in address{};
  socklen_t size = sizeof address;
  getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size);
  return ntohs(address.sin_port);
}

TEST(Sockets, GivesTheSameSocketToTheSuccessorOfAnInstance) {
  Sockets sockets;
  auto first = sockets.listen("api", WEIR_SOCKET_TCP, "127.0.0.1:0", 0);
  ASSERT_TRUE(first.ok());
  auto second = sockets.listen("api", WEIR_SOCKET_TCP, "127.0.0.1:0", 0);
  ASSERT_TRUE(second.ok());
  EXPECT_NE(*first, *second);
  EXPECT_EQ(port_of(*first), port_of(*second));
  close(*first);
  close(*second);
}

TEST(Sockets, SaysThatAnAddressIsTaken) {
  Sockets sockets;
  auto first = sockets.listen("a", WEIR_SOCKET_TCP, "127.0.0.1:0", 0);
  ASSERT_TRUE(first.ok());
  std::string address = "127.0.0.1:" + std::to_string(port_of(*first));
  auto second = sockets.listen("b", WEIR_SOCKET_TCP, address, 0);
  ASSERT_FALSE(second.ok());
  EXPECT_EQ(second.error().code, base::Code::kUnavailable);
  EXPECT_EQ(second.error().what, "the address " + address + " is taken by another program");
  close(*first);
}

TEST(Sockets, LetsNobodyShareAUdpPort) {
  Sockets sockets;
  auto first = sockets.listen("a", WEIR_SOCKET_UDP, "127.0.0.1:0", 0);
  ASSERT_TRUE(first.ok());
  auto second = sockets.listen("b", WEIR_SOCKET_UDP, "127.0.0.1:" + std::to_string(port_of(*first)), 0);
  EXPECT_FALSE(second.ok());
  close(*first);
}

TEST(Sockets, RefusesWhatIsNoAddress) {
  Sockets sockets;
  for (const char* address : {"", "8080", "localhost:80", "127.0.0.1:", "127.0.0.1:99999", "[::1:80", "1.2.3:80"}) {
    auto made = sockets.listen("a", WEIR_SOCKET_TCP, address, 0);
    ASSERT_FALSE(made.ok()) << address;
    EXPECT_EQ(made.error().code, base::Code::kInvalid) << address;
    EXPECT_THAT(made.error().text(), HasSubstr("write for example 127.0.0.1:8080")) << address;
  }
}

TEST(Sockets, ClosesTheSocketWhenTheInstanceIsReleased) {
  Sockets sockets;
  auto first = sockets.listen("a", WEIR_SOCKET_TCP, "127.0.0.1:0", 0);
  std::string address = "127.0.0.1:" + std::to_string(port_of(*first));
  close(*first);
  EXPECT_FALSE(sockets.listen("b", WEIR_SOCKET_TCP, address, 0).ok());
  sockets.release("a");
  auto again = sockets.listen("b", WEIR_SOCKET_TCP, address, 0);
  EXPECT_TRUE(again.ok());
  close(*again);
}

TEST(Sockets, KeepsASocketBetweenItsUsersAndClosesItWhenNoneCame) {
  Sockets sockets;
  uint64_t old_use = 0, new_use = 0;
  auto first = sockets.listen("a", WEIR_SOCKET_TCP, "127.0.0.1:0", 0, &old_use);
  std::string address = "127.0.0.1:" + std::to_string(port_of(*first));
  close(*first);
  sockets.end_use(old_use);
  auto second = sockets.listen("a", WEIR_SOCKET_TCP, "127.0.0.1:0", 0, &new_use);
  EXPECT_EQ("127.0.0.1:" + std::to_string(port_of(*second)), address) << "an exclusive successor finds it";
  close(*second);
  sockets.close_unused();
  EXPECT_FALSE(sockets.listen("b", WEIR_SOCKET_TCP, address, 0).ok()) << "the successor lost it";
  sockets.end_use(new_use);
  sockets.close_unused();
  auto freed = sockets.listen("b", WEIR_SOCKET_TCP, address, 0);
  ASSERT_TRUE(freed.ok()) << "nobody accepts there, but the port stays open";
  close(*freed);
}

}  // namespace
}  // namespace weir::runtime
