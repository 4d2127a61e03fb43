// What evolution breeds: a tuple of expressions with its loss.
#pragma once

#include <cstdint>
#include <limits>
#include <vector>

#include "balmer/expr/expression.hpp"

namespace balmer {

/// One formula of the search. Plain searches have one role; a template has several (sin(f(x1, x2)) + g(x3)), each an
/// expression of its own, whose complexities add up and whose constants are fitted together; its parameters, if it has any,
/// are a last one, which counts nothing and is only fitted.
struct Candidate {
    std::vector<Expression> roles;
    int complexity = 0;
    double loss = std::numeric_limits<double>::infinity();  ///< mean over the rows it was last judged on
    double cost = std::numeric_limits<double>::infinity();  ///< loss / norm + parsimony * complexity
    std::uint64_t birth = 0;                                ///< order of birth on its island
};

}  // namespace balmer
