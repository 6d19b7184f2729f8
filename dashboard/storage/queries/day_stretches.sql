-- Messages and different writers of a room in each of some stretches of time (lists of µs).
with stretches as (
  select unnest($starts) as first_us, unnest($ends) as last_us
),
own as (
  select epoch_us(sent_at) as at, coalesce(user_id, '@' || user_login) as who
  from chat_messages
  where room_login = $room
    and sent_at >= $start_at
    and sent_at < $end_at
    and (source_room_id is null or source_room_id = room_id)
)
select first_us, last_us, count(who) as message_count, count(distinct who) as chatter_count
from stretches left join own on own.at >= first_us and own.at < last_us
group by first_us, last_us
order by first_us
