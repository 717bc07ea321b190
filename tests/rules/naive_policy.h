// The decision once more, written for nothing but being obviously what the rules say: no index, no
// order, no early answer. Whatever is not known is tried in every way it could turn out.
#pragma once

#include <string>

#include "rules/policy.h"

namespace gatehouse::rules::test {

struct NaiveDecision {
  Verdict verdict = Verdict::deny;
  Reason reason = Reason::no_matching_rule;
  std::string rule;  // empty: none, or it depends on what is not known
};

NaiveDecision naive_decide(const PolicySpec& spec, const Facts& facts);

}  // namespace gatehouse::rules::test
