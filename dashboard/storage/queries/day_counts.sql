-- What a room got in a stretch of time, by what chat shows. Follows are NULL where nobody told of any in the
-- 30 days up to its end: they are not collected then.
select
  (select case when count(*) > 0 then count(*) filter (where sent_at >= $start_at and sent_at < $end_at) end
   from follows where room_login = $room and sent_at >= $before_at and sent_at < $end_at) as follow_count,
  (select count(*) from subscriptions
   where room_login = $room and sent_at >= $start_at and sent_at < $end_at
     and (source_room_id is null or source_room_id = room_id)) as subscription_count,
  (select count(*) from sub_gifts
   where room_login = $room and sent_at >= $start_at and sent_at < $end_at
     and (source_room_id is null or source_room_id = room_id)) as gift_count,
  (select coalesce(sum(bits), 0)::bigint from bits
   where room_login = $room and sent_at >= $start_at and sent_at < $end_at
     and (source_room_id is null or source_room_id = room_id)) as bits,
  (select count(*) from raids
   where room_login = $room and sent_at >= $start_at and sent_at < $end_at
     and (source_room_id is null or source_room_id = room_id)) as raid_count,
  (select coalesce(sum(viewer_count), 0)::bigint from raids
   where room_login = $room and sent_at >= $start_at and sent_at < $end_at
     and (source_room_id is null or source_room_id = room_id)) as raid_viewer_count
