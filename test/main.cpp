// SPDX-License-Identifier: MIT
/// The test program: doctest's, and a line for each test case that test/run counts.

#define DOCTEST_CONFIG_IMPLEMENT_WITH_MAIN
#include <doctest/doctest.h>

#include <cstdio>
#include <string>

namespace {

std::string skipped;

/// PASS, FAIL or SKIP, the suite and the name.
struct Lines : doctest::IReporter {
  explicit Lines(const doctest::ContextOptions &) {}

  void test_case_start(const doctest::TestCaseData &data) override {
    test = &data;
    skipped.clear();
  }
  void test_case_end(const doctest::CurrentTestCaseStats &stats) override {
    const char *verdict = stats.failure_flags != 0 ? "FAIL" : skipped.empty() ? "PASS" : "SKIP";
    std::printf("%s %s: %s%s%s\n", verdict, test->m_test_suite, test->m_name, skipped.empty() ? "" : ": ",
                skipped.c_str());
    std::fflush(stdout);
  }

  void report_query(const doctest::QueryData &) override {}
  void test_run_start() override {}
  void test_run_end(const doctest::TestRunStats &) override {}
  void test_case_reenter(const doctest::TestCaseData &) override {}
  void test_case_exception(const doctest::TestCaseException &) override {}
  void subcase_start(const doctest::SubcaseSignature &) override {}
  void subcase_end() override {}
  void log_assert(const doctest::AssertData &) override {}
  void log_message(const doctest::MessageData &) override {}
  void test_case_skipped(const doctest::TestCaseData &) override {}

  const doctest::TestCaseData *test = nullptr;
};

REGISTER_LISTENER("lines", 1, Lines);

} // namespace

void skip(const char *reason);
void skip(const char *reason) { skipped = reason; } // support.hpp
