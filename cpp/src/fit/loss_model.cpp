#include "fit/loss_model.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "eval/row_sum.hpp"

namespace balmer::fit {

template <class T>
LossModel<T>::LossModel(const Expression& expression, const Evaluator<T>& evaluator, const Loss& loss, std::size_t rows,
                        eval::Range range, eval::Program<T>& program, LossMemory<T>& memory)
    : data_(evaluator.data()),
      loss_(loss),
      rows_(rows),
      n_constants_(memory.constants.size()),
      program_(program),
      m_(memory) {
    program_.compile(expression, evaluator.operators(), data_.columns(), rows, eval::Derivatives::constants, range,
                     n_constants_);
    const std::size_t size = padded(rows) + kLanes;
    m_.prediction.resize(std::max(m_.prediction.size(), size));
    m_.beside.resize(std::max(m_.beside.size(), size));
    if (m_.ones.size() < size) m_.ones.assign(size, T(1));
    for (auto* buffer : {&m_.slope, &m_.curvature, &m_.majorant, &m_.spare}) {
        buffer->resize(std::max(buffer->size(), program_.block_rows()));
    }
    const bool weighted = data_.weights() != nullptr;
    const T* const weights = weighted ? data_.weights() : m_.ones.data();
    const T* const at[] = {m_.prediction.data(), data_.target(), weights};
    const T* const near[] = {m_.beside.data(), data_.target(), weights};
    for (std::size_t order = 0; order < 3; ++order) {
        const Expression& row = loss.row(static_cast<int>(order), weighted);
        m_.loss[order].compile(row, OperatorSet::builtin(), at, rows, eval::Derivatives::none);
        if (order < m_.shifted.size()) {
            m_.shifted[order].compile(row, OperatorSet::builtin(), near, rows, eval::Derivatives::none);
        }
    }
}

template <class T>
void LossModel<T>::smooth_rows(std::size_t row, std::size_t n, double smoothing) {
    T* const beside = m_.beside.data() + row;
    const T* const p = m_.prediction.data() + row;
    const auto difference = [&](std::size_t order, double* out) {
        for (const double side : {1.0, -1.0}) {
            for (std::size_t i = 0; i < n; ++i)
                beside[i] = static_cast<T>(static_cast<double>(p[i]) + side * smoothing);
            const T* const values = m_.shifted[order].run(row, n);
            for (std::size_t i = 0; i < n; ++i) {
                const double part = side * static_cast<double>(values[i]) / (2 * smoothing);
                out[i] = side > 0 ? part : out[i] + part;
            }
        }
    };
    // At the edge of where the loss is defined its own derivatives stay.
    const auto overwrite = [&](std::size_t order, double* out) {
        difference(order, m_.spare.data());
        for (std::size_t i = 0; i < n; ++i) {
            if (std::isfinite(m_.spare[i])) out[i] = m_.spare[i];
        }
    };
    overwrite(0, m_.slope.data());
    overwrite(1, m_.curvature.data());
}

/// Slopes, curvatures and majorising curvatures of rows [row, row + n), n a multiple of kLanes.
template <class T>
void LossModel<T>::expand_rows(std::size_t row, std::size_t n, double smoothing) {
    const auto copy = [&](std::size_t order, AlignedVector<double>& out) {
        const T* const values = m_.loss[order].run(row, n);
        for (std::size_t i = 0; i < n; ++i) out[i] = static_cast<double>(values[i]);
    };
    copy(1, m_.slope);
    copy(2, m_.curvature);
    if (smoothing > 0) smooth_rows(row, n, smoothing);
    const bool towards_target = loss_.shape().towards_target;
    const T* const p = m_.prediction.data() + row;
    const T* const t = data_.target() + row;
    for (std::size_t i = 0; i < n; ++i) {
        double& curvature = m_.curvature[i];
        if (!std::isfinite(curvature)) curvature = 0;
        if (!std::isfinite(m_.slope[i])) m_.slope[i] = 0;  // at a kink with a slope of any size
        // The parabola through the row's loss with its minimum at the target (Huber 1981, 7.8) lies above a robust
        // loss.
        const double chord = m_.slope[i] / (static_cast<double>(p[i]) - static_cast<double>(t[i]));
        const bool usable = towards_target && std::isfinite(chord);
        m_.majorant[i] = usable ? std::max(chord, std::max(curvature, 0.0)) : std::abs(curvature);
    }
}

template <class T>
bool LossModel<T>::expand(std::span<const double> constants, double smoothing, LossExpansion& out) {
    const std::size_t n = n_constants_;
    const std::size_t products = n * (n + 1) / 2;
    m_.lanes.assign((2 + n + 2 * products) * eval::kSumLanes, 0.0);
    double* const lanes = m_.lanes.data();
    const LossShape& shape = loss_.shape();
    {
        const eval::FlushSubnormals scope(eval::kernels());
        program_.set_constants(constants);
        for (std::size_t r = 0; r < rows_; r += program_.block_rows()) {
            const std::size_t block = std::min(program_.block_rows(), rows_ - r);
            const T* const values = program_.run(r, padded(block));
            T* const p = m_.prediction.data() + r;
            std::copy_n(values, padded(block), p);
            program_.reverse(r, padded(block));
            const T* const losses = m_.loss[0].run(r, padded(block));
            eval::add_rows(block, lanes, [&](std::size_t i) {
                return static_cast<double>(losses[i]) + 0 * static_cast<double>(p[i]);
            });
            expand_rows(r, padded(block), smoothing);
            const T* const t = data_.target() + r;
            if (!shape.smooth || !shape.bounded_curvature) {
                eval::add_rows(block, lanes + eval::kSumLanes, [&](std::size_t i) {
                    double distance = shape.kinks.empty()
                                          ? std::abs(static_cast<double>(p[i]) - static_cast<double>(t[i]))
                                          : std::numeric_limits<double>::infinity();
                    for (const Kink& kink : shape.kinks) {
                        distance = std::min(distance,
                                            std::abs(static_cast<double>(p[i]) - kink.at(static_cast<double>(t[i]))));
                    }
                    return std::isfinite(distance) ? distance : 0;
                });
            }
            double* lane = lanes + 2 * eval::kSumLanes;
            const double *slope = m_.slope.data(), *curvature = m_.curvature.data(), *majorant = m_.majorant.data();
            for (std::size_t k = 0; k < n; ++k, lane += eval::kSumLanes) {
                const T* const a = program_.derivatives()[k];
                eval::add_rows(block, lane, [&](std::size_t i) { return -slope[i] * static_cast<double>(a[i]); });
            }
            for (std::size_t k = 0; k < n; ++k) {
                const T* const a = program_.derivatives()[k];
                for (std::size_t l = 0; l <= k; ++l, lane += 2 * eval::kSumLanes) {
                    const T* const b = program_.derivatives()[l];
                    eval::add_rows(block, lane, [&](std::size_t i) {
                        return curvature[i] * static_cast<double>(a[i]) * static_cast<double>(b[i]);
                    });
                    eval::add_rows(block, lane + eval::kSumLanes, [&](std::size_t i) {
                        return majorant[i] * static_cast<double>(a[i]) * static_cast<double>(b[i]);
                    });
                }
            }
        }
    }
    out.sum = eval::sum_lanes(lanes);
    out.distance = eval::sum_lanes(lanes + eval::kSumLanes) / static_cast<double>(rows_);
    out.gradient.resize(n);
    out.curvature.resize(n * n);
    out.majorant.resize(n * n);
    const double* lane = lanes + 2 * eval::kSumLanes;
    double check = out.sum * 0;  // NaN as soon as one of the sums is not finite
    for (std::size_t k = 0; k < n; ++k, lane += eval::kSumLanes) {
        out.gradient[k] = eval::sum_lanes(lane);
        check += out.gradient[k] * 0;
    }
    for (std::size_t k = 0; k < n; ++k) {
        for (std::size_t l = 0; l <= k; ++l, lane += 2 * eval::kSumLanes) {
            out.curvature[k * n + l] = out.curvature[l * n + k] = eval::sum_lanes(lane);
            out.majorant[k * n + l] = out.majorant[l * n + k] = eval::sum_lanes(lane + eval::kSumLanes);
            check += out.curvature[k * n + l] * 0 + out.majorant[k * n + l] * 0;
        }
    }
    if (check != 0) {
        out.sum = std::numeric_limits<double>::infinity();
        return false;
    }
    return true;
}

template <class T>
void LossModel<T>::linearise(std::span<const double> constants, std::span<double> prediction,
                             std::span<double> jacobian, std::size_t stride) {
    const eval::FlushSubnormals scope(eval::kernels());
    program_.set_constants(constants);
    for (std::size_t r = 0; r < rows_; r += program_.block_rows()) {
        const std::size_t block = std::min(program_.block_rows(), rows_ - r);
        const T* const values = program_.run(r, padded(block));
        for (std::size_t i = 0; i < block; ++i) prediction[r + i] = static_cast<double>(values[i]);
        program_.reverse(r, padded(block));
        for (std::size_t k = 0; k < n_constants_; ++k) {
            const T* const column = program_.derivatives()[k];
            for (std::size_t i = 0; i < block; ++i) jacobian[k * stride + r + i] = static_cast<double>(column[i]);
        }
    }
}

template <class T>
void LossModel<T>::derivative_at(std::span<const double> prediction, int order, std::span<double> out) {
    const eval::FlushSubnormals scope(eval::kernels());
    eval::Program<T>& program = m_.loss[static_cast<std::size_t>(order)];
    for (std::size_t r = 0; r < rows_; r += program.block_rows()) {
        const std::size_t block = std::min(program.block_rows(), rows_ - r);
        const std::size_t whole = padded(block);
        for (std::size_t i = 0; i < whole; ++i) {
            m_.prediction[r + i] = static_cast<T>(prediction[r + std::min(i, block - 1)]);
        }
        const T* const values = program.run(r, whole);
        for (std::size_t i = 0; i < block; ++i) out[r + i] = static_cast<double>(values[i]);
    }
}

template class LossModel<double>;
template class LossModel<float>;

}  // namespace balmer::fit
