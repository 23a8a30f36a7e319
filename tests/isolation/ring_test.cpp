#include "isolation/ring.h"

#include <gtest/gtest.h>
#include <poll.h>
#include <unistd.h>

#include <random>
#include <thread>

#include "isolation/shared_memory.h"

namespace weir::isolation {
namespace {

using namespace std::chrono_literals;

base::Monotonic in(base::Duration time) { return base::now() + time; }

class Ring : public testing::Test {
 protected:
  static constexpr uint64_t kBytes = 4096;
  SharedMemory memory_ = std::move(SharedMemory::create(kBytes).value());
  // The other side's view, as a child makes it.
  SharedMemory other_ = std::move(SharedMemory::attach(duplicates(), kBytes).value());
  RingPlace place_ = other_.to_child();
  RingWriter writer_{memory_.to_child()};
  RingReader reader_{place_};

  std::vector<Descriptor> duplicates() {
    std::vector<Descriptor> out;
    for (int fd : memory_.child_descriptors()) out.emplace_back(::dup(fd));
    memory_.close_child_ends();
    return out;
  }

  RingResult write(std::string_view body, base::Duration patience = 0ms) {
    return writer_.write(Message::kEmit, {&body, 1}, in(patience), -1);
  }
  RingResult read(std::string* body) {
    Message message;
    std::string_view got;
    RingResult result = reader_.read(&message, &got, in(10s), -1);
    body->assign(got);
    return result;
  }
};

TEST_F(Ring, GivesMessagesInOrderWhole) {
  EXPECT_EQ(write("one"), RingResult::kDone);
  EXPECT_EQ(write(""), RingResult::kDone);
  EXPECT_EQ(write("three is longer"), RingResult::kDone);
  std::string body;
  for (const char* wanted : {"one", "", "three is longer"}) {
    EXPECT_EQ(read(&body), RingResult::kDone);
    EXPECT_EQ(body, wanted);
  }
  EXPECT_EQ(read(&body), RingResult::kFull) << "nothing there";
}

TEST_F(Ring, SaysThatItIsFullAndLosesNothing) {
  std::string kilobyte(1000, 'x');
  int written = 0;
  while (write(kilobyte) == RingResult::kDone) ++written;
  EXPECT_EQ(written, 4);
  std::string body;
  ASSERT_EQ(read(&body), RingResult::kDone);
  EXPECT_EQ(write("y" + kilobyte.substr(1)), RingResult::kDone);
  EXPECT_EQ(write(kilobyte), RingResult::kFull) << "nobody reads";
  EXPECT_EQ(write(std::string(2 * kBytes, 'x'), 10ms), RingResult::kTimeout) << "cut short";
}

TEST_F(Ring, PassesWhatIsLongerThanItself) {
  std::mt19937 random(7);
  std::vector<std::string> messages;
  for (int i = 0; i < 200; ++i) messages.emplace_back(random() % 20'000, static_cast<char>('a' + i % 26));
  std::thread reading([&] {
    for (const std::string& wanted : messages) {
      std::string body;
      RingResult got;
      while ((got = read(&body)) == RingResult::kFull) {
        if (!reader_.prepare_to_sleep()) continue;
        pollfd data{place_.wake_fd, POLLIN, 0};
        ::poll(&data, 1, -1);
        reader_.awake();
      }
      ASSERT_EQ(got, RingResult::kDone);
      ASSERT_EQ(body, wanted);
    }
  });
  for (const std::string& message : messages) ASSERT_EQ(write(message, 20s), RingResult::kDone);
  reading.join();
}

// What the other side wrote about itself is not believed.
TEST_F(Ring, NoticesNumbersThatMakeNoSense) {
  std::string body;
  place_.head->written = kBytes + 1;
  EXPECT_EQ(read(&body), RingResult::kNonsense) << "more than there is room for";
  place_.head->written = 0;
  place_.head->read = 8;
  EXPECT_EQ(write("x"), RingResult::kNonsense) << "read what was not written";
}

TEST_F(Ring, NoticesALengthThatMakesNoSense) {
  ASSERT_EQ(write("x"), RingResult::kDone);
  uint64_t huge = UINT64_MAX - 3;
  std::memcpy(place_.bytes + 8, &huge, sizeof huge);
  std::string body;
  EXPECT_EQ(read(&body), RingResult::kNonsense);
}

TEST_F(Ring, WhatWasReadDoesNotChangeWhenTheWriterGoesOn) {
  ASSERT_EQ(write(std::string(100, 'a')), RingResult::kDone);
  Message message;
  std::string_view body;
  ASSERT_EQ(reader_.read(&message, &body, in(1s), -1), RingResult::kDone);
  std::memset(place_.bytes, 'z', kBytes);
  EXPECT_EQ(body, std::string(100, 'a'));
}

}  // namespace
}  // namespace weir::isolation
