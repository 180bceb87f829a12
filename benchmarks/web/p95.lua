-- Readers of one page, each asking again 50 ms after the last answer; prints requests, median, p95
-- in milliseconds, and how many answers were no success.
function delay()
  return 50
end

function done(summary, latency)
  io.write(string.format("FOUND %d %.1f %.1f %d\n", summary.requests,
    latency:percentile(50) / 1000, latency:percentile(95) / 1000, summary.errors.status))
end
