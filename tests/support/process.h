// Processes of a test: each runs a function in a child and says by its exit code whether it held.
#pragma once

#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <exception>
#include <functional>
#include <vector>

namespace evercore::test {

/// Starts `count` processes that all run `work(index)`, and waits for them. They start together:
/// each waits at a pipe until every one of them has been forked. Gives how many failed.
inline int in_processes(int count, const std::function<void(int)>& work) {
  int gate[2];
  if (pipe(gate) != 0) return count;
  std::fflush(stdout);
  std::vector<pid_t> children;
  for (int i = 0; i < count; ++i) {
    const pid_t child = fork();
    if (child == 0) {
      close(gate[1]);
      char byte = 0;
      (void)!read(gate[0], &byte, 1);  // ends when the parent closes the gate
      int status = 0;
      try {
        work(i);
      } catch (const std::exception& failure) {
        std::fprintf(stderr, "process %d: %s\n", i, failure.what());
        status = 1;
      }
      _exit(status);
    }
    children.push_back(child);
  }
  close(gate[0]);
  close(gate[1]);
  int failed = 0;
  for (const pid_t child : children) {
    int status = 0;
    waitpid(child, &status, 0);
    if (status != 0) ++failed;
  }
  return failed;
}

}  // namespace evercore::test
