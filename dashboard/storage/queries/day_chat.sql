-- Messages and different writers of a room in a stretch of time; mirrored messages are left out.
-- Of the writers: how many wrote in the stretch before it, and on how many UTC days of that there is chat.
with own as (
  select sent_at, coalesce(user_id, '@' || user_login) as who
  from chat_messages
  where room_login = $room
    and sent_at >= $before_at
    and sent_at < $end_at
    and (source_room_id is null or source_room_id = room_id)
),
today as (select who, count(*) as message_count from own where sent_at >= $start_at group by who),
earlier as (select distinct who from own where sent_at < $start_at)
select
  coalesce((select sum(message_count) from today), 0)::bigint as message_count,
  (select count(*) from today) as chatter_count,
  (select count(*) from today semi join earlier using (who)) as returning_count,
  (select count(distinct epoch_us(sent_at) // 86400000000) from own where sent_at < $start_at)
    as history_day_count,
  (select max(room_id) from chat_messages where room_login = $room and sent_at >= $start_at and sent_at < $end_at)
    as room_id
