-- Who came into a channel's chat in a stretch of time, by login: the first time each.
select hash(lower(user_login)) as who, epoch_us(min(sent_at)) as joined_at
from user_list
where list_contains($rooms, room_login)
  and sent_at between $start_at and $end_at
  and action = 'join'
group by all
