// What evolution minimises.
#pragma once

#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "balmer/eval/evaluator.hpp"
#include "balmer/evolve/options.hpp"
#include "balmer/expr/template.hpp"
#include "balmer/fit/fit.hpp"
#include "balmer/fit/loss.hpp"

namespace balmer {

namespace eval {
template <class T>
class KnownColumns;
}

/// The loss of a candidate's roles over some rows, and the fit of their constants. Islands know no more of the data, so
/// templates and other losses are objectives of their own. Const use from several threads is safe, each with its own
/// workspace.
class Objective {
   public:
    Objective() = default;
    Objective(const Objective&) = delete;
    Objective& operator=(const Objective&) = delete;
    virtual ~Objective() = default;

    /// Mean loss over the rows; infinite where a value is not finite, and anything above `bound` may come out infinite.
    [[nodiscard]] virtual double loss(std::span<const Expression> roles, double bound,
                                      FitWorkspace<double>& workspace) const = 0;

    /// Fits the constants of all roles in place; the loss never rises.
    virtual FitResult fit(std::span<Expression> roles, const FitOptions& options,
                          FitWorkspace<double>& workspace) const = 0;

    /// Share of all rows that one evaluation reads.
    [[nodiscard]] virtual double share() const noexcept = 0;
};

/// One expression, weighted least squares. `data` and `operators` must outlive it.
class LeastSquares final : public Objective {
   public:
    /// `share`: rows of `data` over rows of the whole problem.
    LeastSquares(const Dataset<double>& data, const OperatorSet& operators, double share = 1)
        : evaluator_(data, operators), share_(share) {}

    [[nodiscard]] double loss(std::span<const Expression> roles, double bound,
                              FitWorkspace<double>& workspace) const override;
    FitResult fit(std::span<Expression> roles, const FitOptions& options,
                  FitWorkspace<double>& workspace) const override;
    [[nodiscard]] double share() const noexcept override { return share_; }

   private:
    Evaluator<double> evaluator_;
    double share_;
};

/// One expression, the mean of a loss. `data`, `operators` and the losses must outlive it.
class MeanLoss final : public Objective {
   public:
    /// Least squares if `loss` is null. `share`: rows of `data` over rows of the whole problem. `whole`, if it is not null,
    /// takes the place of both. `frequent`: operators that most formulas have; what they make of each feature is kept.
    MeanLoss(const Dataset<double>& data, const OperatorSet& operators, const Loss* loss, double share = 1,
             const WholeLoss* whole = nullptr, std::span<const Op> frequent = {});
    ~MeanLoss() override;

    [[nodiscard]] double loss(std::span<const Expression> roles, double bound,
                              FitWorkspace<double>& workspace) const override;
    FitResult fit(std::span<Expression> roles, const FitOptions& options,
                  FitWorkspace<double>& workspace) const override;
    [[nodiscard]] double share() const noexcept override { return share_; }

    /// The loss of the best constant.
    [[nodiscard]] double loss_of_constant() const;

    /// The loss of predictions that are all off by `distance`; minus infinity for a loss that predictions equal to the target
    /// do not minimise, such as one of margins.
    [[nodiscard]] double loss_at_distance(double distance) const;

   private:
    [[nodiscard]] double whole_loss(const Expression& expression, FitWorkspace<double>& workspace) const;
    FitResult fit_whole(Expression& expression, const FitOptions& options, FitWorkspace<double>& workspace) const;

    Evaluator<double> evaluator_;
    const Loss* loss_;
    const WholeLoss* whole_;
    double share_;
    std::unique_ptr<const eval::KnownColumns<double>> known_;
};

/// MeanLoss evaluated in single precision: it judges candidates in half the time on many rows. Constants are fitted in double
/// precision. A loss is within some 1e-6 of the true one, relative to that of a constant.
class SinglePrecision final : public Objective {
   public:
    /// Whether single precision can hold the data and the products of a few columns.
    [[nodiscard]] static bool can_hold(const Dataset<double>& data);

    /// As for MeanLoss; copies the data.
    SinglePrecision(const Dataset<double>& data, const OperatorSet& operators, const Loss* loss, double share = 1);

    [[nodiscard]] double loss(std::span<const Expression> roles, double bound,
                              FitWorkspace<double>& workspace) const override;
    FitResult fit(std::span<Expression> roles, const FitOptions& options,
                  FitWorkspace<double>& workspace) const override {
        return exact_.fit(roles, options, workspace);
    }
    [[nodiscard]] double share() const noexcept override { return exact_.share(); }

   private:
    MeanLoss exact_;
    Dataset<float> data_;
    Evaluator<float> evaluator_;
    const Loss* loss_;
};

/// The formula that a template makes of the roles, as another objective judges it. A constant or parameter that stands in
/// several places is one unknown of the fit. `structure` must outlive it.
class OfTemplate final : public Objective {
   public:
    OfTemplate(const Template& structure, std::unique_ptr<const Objective> formulas)
        : structure_(structure), formulas_(std::move(formulas)) {}

    [[nodiscard]] double loss(std::span<const Expression> roles, double bound,
                              FitWorkspace<double>& workspace) const override;
    FitResult fit(std::span<Expression> roles, const FitOptions& options,
                  FitWorkspace<double>& workspace) const override;
    [[nodiscard]] double share() const noexcept override { return formulas_->share(); }

   private:
    const Template& structure_;
    std::unique_ptr<const Objective> formulas_;
};

}  // namespace balmer
