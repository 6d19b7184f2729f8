-- From which minute to which a room's chatters count as active (5 minutes from each time they spoke,
-- nobody twice): one row per pair of minutes with the number of people.
with spoken as (
  select distinct
    epoch_us(sent_at) // 60000000 as minute,
    hash(coalesce(user_id, '@' || user_login)) as who
  from chat_messages
  where room_login = $room
    and sent_at >= $start_at
    and sent_at < $end_at
    and (source_room_id is null or source_room_id = room_id)
),
stretches as (
  select
    minute,
    least(minute + 5, coalesce(lead(minute) over (partition by who order by minute), minute + 5)) as until
  from spoken
)
select minute, until, count(*) as chatter_count
from stretches
group by minute, until
