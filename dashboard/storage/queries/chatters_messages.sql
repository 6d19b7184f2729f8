-- What the people of captures wrote in some channels up to an instant; mirrored messages are left out.
-- Of each: messages in the channel's window and the first of them, the first and last of all, and whether one
-- is before the channel's cut.
with rooms as (
  select
    unnest($rooms) as room_login, unnest($cuts) as cut_us,
    unnest($starts) as start_us, unnest($ends) as end_us
),
people as (
  select hash(user_id) as who
  from chatters
  where list_contains($capture_ids, capture_id) and sent_at between $start_at and $end_at
  union
  select hash(user_id)
  from speakers
  where list_contains($capture_ids, capture_id) and sent_at between $start_at and $end_at
),
wrote as (
  select hash(user_id) as who, room_login, epoch_us(sent_at) as at_us
  from chat_messages
  where user_id is not null
    and list_contains($rooms, room_login)
    and sent_at <= $until_at
    and (source_room_id is null or source_room_id = room_id)
)
select *
from (
  select
    who,
    count(*) filter (at_us between start_us and end_us) as message_count,
    min(at_us) filter (at_us between start_us and end_us) as window_first_at,
    min(at_us) as first_at,
    max(at_us) as last_at,
    bool_or(at_us < cut_us) as is_earlier
  from wrote join rooms using (room_login)
  group by who
) semi join people using (who)
