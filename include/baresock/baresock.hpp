// SPDX-License-Identifier: MIT
/// All of baresock.

#pragma once

#include <baresock/address.hpp>
#include <baresock/buffer.hpp>
#include <baresock/connect.hpp>
#include <baresock/constant.hpp>
#include <baresock/control.hpp>
#include <baresock/control_info.hpp>
#include <baresock/datagram.hpp>
#include <baresock/deadline.hpp>
#include <baresock/descriptor.hpp>
#include <baresock/duration.hpp>
#include <baresock/error.hpp>
#include <baresock/error_queue.hpp>
#include <baresock/fields.hpp>
#include <baresock/function.hpp>
#include <baresock/list.hpp>
#include <baresock/listen.hpp>
#include <baresock/message.hpp>
#include <baresock/netdb.hpp>
#include <baresock/option.hpp>
#include <baresock/option_info.hpp>
#include <baresock/option_value.hpp>
#include <baresock/poll.hpp>
#include <baresock/socket.hpp>
#include <baresock/standard.hpp>
#include <baresock/stream.hpp>
#include <baresock/structs.hpp>
#include <baresock/system_error.hpp>
#include <baresock/view.hpp>
#include <baresock/zero_copy.hpp>
