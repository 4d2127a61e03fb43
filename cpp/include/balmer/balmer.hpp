// All of balmer: one header for programs that embed the library.
#pragma once

#include "balmer/core/error.hpp"
#include "balmer/eval/dataset.hpp"
#include "balmer/eval/evaluator.hpp"
#include "balmer/eval/isa.hpp"
#include "balmer/expr/derivative.hpp"
#include "balmer/expr/dimensions.hpp"
#include "balmer/expr/operator_set.hpp"
#include "balmer/expr/parse.hpp"
#include "balmer/expr/print.hpp"
#include "balmer/expr/simplify.hpp"
#include "balmer/expr/template.hpp"
#include "balmer/fit/fit.hpp"
#include "balmer/fit/loss.hpp"
#include "balmer/search/named_options.hpp"
#include "balmer/search/search.hpp"
#include "balmer/version.hpp"
