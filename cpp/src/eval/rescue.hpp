// Rows whose values left the range of numbers on the way to a result inside it.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "balmer/expr/operator_set.hpp"
#include "eval/program.hpp"
#include "eval/scratch.hpp"

namespace balmer::eval {

/// Computes single rows of an expression in Range::extended: gathered into columns of their own, for they are few.
template <class T>
class Rescue {
   public:
    /// The expression of the calls that follow. All that is given must outlive them. Costs nothing until the first one.
    void begin(const Expression& expression, const OperatorSet& operators, std::span<const T* const> columns) noexcept;

    /// values[i] = value of row first + i for each i of `rows`.
    void compute(const RowSet& rows, std::size_t first, T* values);

   private:
    void compile();

    const Expression* expression_ = nullptr;
    const OperatorSet* operators_ = nullptr;
    std::span<const T* const> columns_;
    bool compiled_ = false;
    Program<T> program_;
    Scratch<T> gathered_;
    std::vector<const T*> gathered_columns_;
    std::vector<std::size_t> used_;  // features of the expression
};

}  // namespace balmer::eval
