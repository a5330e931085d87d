// How busy the machine is with what the benchmark does not measure.
#pragma once

namespace bench {

/// The load of others: processors that neither this program and its children nor a PostgreSQL server
/// kept busy, by Linux's /proc; 0.2 is a fifth of one.
class ForeignLoad {
 public:
  ForeignLoad() : last_(now()) {}
  /// On average since this was asked last, or since the beginning; where that was just now, what was said then.
  double since_last();

 private:
  struct Seconds {
    double clock;
    double busy;  ///< of all processors
    double ours;
  };
  static Seconds now();
  Seconds last_;
  double load_ = 0;
};

}  // namespace bench
