// SPDX-License-Identifier: MIT
/// All of baresock.

#pragma once

#include <baresock/address.hpp>
#include <baresock/buffer.hpp>
#include <baresock/error.hpp>
#include <baresock/message.hpp>
#include <baresock/socket.hpp>
#include <baresock/standard.hpp>
#include <baresock/system_error.hpp>
#include <baresock/view.hpp>
