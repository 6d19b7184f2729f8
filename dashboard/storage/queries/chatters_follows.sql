-- Who follows some channels, and since when (the first channel's, where it is several).
select user_id, epoch_us(min(coalesce(followed_at, sent_at))) as followed_at
from (
  select user_id, followed_at, sent_at from follows where list_contains($rooms, room_login)
  union all
  select user_id, followed_at, sent_at from followers where list_contains($rooms, room_login)
)
where user_id is not null
group by user_id
