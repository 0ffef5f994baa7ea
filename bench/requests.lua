-- What wrk sends: the requests of a file in turn, each with its own number in place of {n}.
--
-- Arguments: the method, the media type, and the file; a line of it is a path, or a path, a
-- tabulator and a body. At the end it prints one line for wrk.py.

local requests = {}
local sent = 0

function init(arguments)
  wrk.method = arguments[1]
  wrk.headers["Accept"] = arguments[2]
  for line in io.lines(arguments[3]) do
    local path, body = line:match("^([^\t]*)\t(.*)$")
    if body then
      wrk.headers["Content-Type"] = arguments[2]
      requests[#requests + 1] = { path = path, body = body }
    else
      requests[#requests + 1] = { text = wrk.format(nil, line) }
    end
  end
end

function request()
  sent = sent + 1
  local next = requests[(sent - 1) % #requests + 1]
  if next.text then
    return next.text
  end
  local body = next.body:gsub("{n}", sent)
  return wrk.format(nil, next.path, nil, body)
end

function done(summary, latency)
  local errors = summary.errors
  print(string.format(
    "RESULT %d %d %d %d %d %d", summary.requests, summary.duration,
    latency:percentile(50), latency:percentile(99), errors.status,
    errors.connect + errors.read + errors.write + errors.timeout
  ))
end
