-- The emotes used most in a room in a stretch of time, with how many people used each.
with used as (
  select coalesce(user_id, '@' || user_login) as who, unnest(string_split(emote_names, ' ')) as emote
  from chat_messages
  where room_login = $room
    and sent_at >= $start_at
    and sent_at < $end_at
    and emote_names is not null
    and (source_room_id is null or source_room_id = room_id)
)
select emote, count(*) as use_count, count(distinct who) as user_count
from used
where emote <> ''
group by emote
order by use_count desc, emote
limit $limit
