// An objective for data with physical units.
#pragma once

#include <span>

#include "balmer/evolve/objective.hpp"
#include "balmer/expr/dimensions.hpp"

namespace balmer {

/// What is added to the loss of a formula that violates the dimensions of the data. Templates, of several roles, pay nothing.
class DimensionalPrice {
   public:
    /// Nobody pays.
    DimensionalPrice() = default;
    /// `penalty`: at least 0; infinite: violations are forbidden. `dimensions` and `operators` must outlive the price.
    DimensionalPrice(const DataDimensions& dimensions, const OperatorSet& operators, double penalty) noexcept
        : dimensions_(dimensions.given() ? &dimensions : nullptr), operators_(&operators), penalty_(penalty) {}

    [[nodiscard]] double operator()(std::span<const Expression> roles) const noexcept;
    [[nodiscard]] double operator()(const Expression& expression) const noexcept { return (*this)({&expression, 1}); }

   private:
    const DataDimensions* dimensions_ = nullptr;
    const OperatorSet* operators_ = nullptr;
    double penalty_ = 0;
};

/// Another objective, and the price. Fits look at the data alone.
class DimensionalObjective final : public Objective {
   public:
    /// Both must outlive it.
    DimensionalObjective(const Objective& data, const DimensionalPrice& price) : data_(&data), price_(&price) {}

    [[nodiscard]] double loss(std::span<const Expression> roles, double bound,
                              FitWorkspace<double>& workspace) const override;
    FitResult fit(std::span<Expression> roles, const FitOptions& options,
                  FitWorkspace<double>& workspace) const override {
        return data_->fit(roles, options, workspace);
    }
    [[nodiscard]] double share() const noexcept override { return data_->share(); }

   private:
    const Objective* data_;
    const DimensionalPrice* price_;
};

}  // namespace balmer
