-- Uses of each emote in a room by minute; the row without a name counts the messages with emotes and
-- those whose writer has a Twitch id (sources without tags tell neither).
with messages as (
  select epoch_us(sent_at) // 60000000 as minute, emote_names, user_id
  from chat_messages
  where room_login = $room
    and sent_at >= $start_at
    and sent_at < $end_at
    and (source_room_id is null or source_room_id = room_id)
)
select minute, null as emote, count(nullif(emote_names, '')) as use_count, count(user_id) as tagged_count
from messages
group by minute
union all
select minute, emote, count(*), 0
from (
  select minute, unnest(string_split(emote_names, ' ')) as emote
  from messages
  where emote_names is not null
)
where emote <> ''
group by minute, emote
