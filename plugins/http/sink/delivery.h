// The course of one batch: which requests it takes, and what their answers make of its events.
//
// Its parts are sent one after the other, in the order of the events. A part that is refused as a whole is halved until
// the event that is at fault stands alone; a part that is to be tried again ends the course, because a later event of
// one of its devices must not pass it. What was settled until then stays settled.
#pragma once

#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "../client/client.h"
#include "outgoing_batch.h"
#include "request_writer.h"

namespace weir::http::sink {

// What the deliveries of one sink share, and whom they tell. Client thread.
struct DeliveryContext {
  virtual ~DeliveryContext() = default;
  // A request has ended. `trouble` is empty when the endpoint works: it took the events, or refused some of them.
  virtual void on_request(const std::string& trouble) = 0;
  virtual void on_sent(size_t bytes) = 0;
  virtual void on_rejected(size_t events) = 0;
  // Every event is settled.
  virtual void on_finished(uint64_t token, OutgoingBatch& batch) = 0;

  const Config* config = nullptr;
  const RequestWriter* writer = nullptr;
  client::Client* client = nullptr;
};

// Made by submit(), then client thread only.
class Delivery : public std::enable_shared_from_this<Delivery> {
 public:
  // What is not settled at `until` is to be tried again.
  Delivery(DeliveryContext& context, uint64_t token, OutgoingBatch batch, client::Clock::time_point until);

  void start();
  // Nobody waits for the results any more.
  void abandon();
  // Any thread, when nothing else is called any more.
  OutgoingBatch& batch() { return batch_; }

 private:
  using Part = std::vector<uint32_t>;

  void divide();
  void next();
  void send();
  void on_outcome(const client::Outcome& outcome);
  void on_reply(const client::Reply& reply);
  void on_refusal(const client::Reply& reply);
  bool refused_by_name(const client::Reply& reply);
  void refuse(uint32_t place, int status, std::string reason);
  void halve();
  void retry_rest(uint32_t code, std::chrono::milliseconds after, const std::string& reason);

  DeliveryContext& context_;
  const uint64_t token_;
  const client::Clock::time_point until_;
  OutgoingBatch batch_;
  std::deque<Part> parts_;  // the first one is under way
  std::shared_ptr<client::Connection> connection_;
  bool abandoned_ = false;
};

}  // namespace weir::http::sink
