"""What Redis decides in one step, so that of all nodes one learns of a transition.

`PREFIX:nodes` has the time until which each process is alive, by Redis' own clock; `PREFIX:online:PROCESS` has its users, and counts
only until then.
"""

_COMMON = """
local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)
local nodes, prefix, me = KEYS[1], ARGV[1], ARGV[2]
local function users_of(process) return prefix .. ':online:' .. process end
local function is_elsewhere(user)
    for _, process in ipairs(redis.call('ZRANGEBYSCORE', nodes, now, '+inf')) do
        if process ~= me and redis.call('SISMEMBER', users_of(process), user) == 1 then return true end
    end
    return false
end
local mine = users_of(me)
"""

BEAT = (
    _COMMON
    + """
local alive_until = redis.call('ZSCORE', nodes, me)
local gone = {}
for _, dead in ipairs(redis.call('ZRANGEBYSCORE', nodes, '-inf', now)) do
    if dead ~= me then
        redis.call('ZREM', nodes, dead)
        for _, user in ipairs(redis.call('SMEMBERS', users_of(dead))) do
            if not is_elsewhere(user) and redis.call('SISMEMBER', mine, user) == 0 then gone[#gone + 1] = user end
        end
        redis.call('DEL', users_of(dead))
    end
end
redis.call('ZADD', nodes, now + tonumber(ARGV[3]), me)
redis.call('EXPIRE', mine, 3600)
local was_alive = alive_until and tonumber(alive_until) > now
return {was_alive and 1 or 0, gone}
"""
)
"""ARGV: prefix, process, life in ms. Whether this process was alive, and users who have gone with processes that are dead."""

CAME_OR_LEFT = (
    _COMMON
    + """
local user = ARGV[3]
local changed = redis.call(ARGV[4] == '1' and 'SADD' or 'SREM', mine, user)
redis.call('EXPIRE', mine, 3600)
return (changed == 1 and not is_elsewhere(user)) and 1 or 0
"""
)
"""ARGV: prefix, process, user, whether the user is there. 1 if that is a transition."""

REWRITE = (
    _COMMON
    + """
local here, came, gone = {}, {}, {}
for n = 3, #ARGV do here[ARGV[n]] = true end
for _, user in ipairs(redis.call('SMEMBERS', mine)) do
    if here[user] then
        here[user] = nil
    else
        redis.call('SREM', mine, user)
        if not is_elsewhere(user) then gone[#gone + 1] = user end
    end
end
for user in pairs(here) do
    redis.call('SADD', mine, user)
    if not is_elsewhere(user) then came[#came + 1] = user end
end
redis.call('EXPIRE', mine, 3600)
return {came, gone}
"""
)
"""ARGV: prefix, process, all users. Who of them has come by that, and who has gone."""

ONLINE = (
    _COMMON
    + """
local online = {}
for n = 3, #ARGV do
    if is_elsewhere(ARGV[n]) then online[#online + 1] = ARGV[n] end
end
return online
"""
)
"""ARGV: prefix, process, users. Who of them is connected to other processes."""

LEAVE = (
    _COMMON
    + """
redis.call('ZREM', nodes, me)
redis.call('DEL', mine)
return 1
"""
)
