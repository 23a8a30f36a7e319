// A pipeline of one pass.transform (the SDK's example, the real .so) over a block of events.
#pragma once

#include <memory>
#include <string>

#include "event/block.h"
#include "graph/pipeline.h"
#include "weir/component.h"
#include "weir/entry.h"

namespace weir::bench {

class PassThrough {
 public:
  // Loads LIBRARIES/pass-transform.so; problem() says when that failed.
  PassThrough(const std::string& libraries, uint32_t events);
  ~PassThrough();
  PassThrough(const PassThrough&) = delete;
  PassThrough& operator=(const PassThrough&) = delete;

  const std::string& problem() const { return problem_; }
  // One block through the pipeline. Returns the events that came out.
  uint32_t run();

 private:
  std::string problem_;
  void* library_ = nullptr;
  const weir_entry* entry_ = nullptr;
  const weir_component_v1* life_ = nullptr;
  void* self_ = nullptr;
  event::SharedBlock block_;
  std::unique_ptr<graph::Pipeline> pipeline_;
  graph::Pipeline::Output output_;
};

// Where the build puts the SDK's examples, seen from a program of the same build.
std::string examples_folder();

}  // namespace weir::bench
