-- Every room a collector or an import ever saw: its newest change, and when we learnt of it.
select
  room_login,
  epoch_us(max(received_at)) as received_at,
  epoch_us(max(sent_at) filter (where collector = 'import')) as imported_until_at,
  arg_max(state, (sent_at, state = 'joined')) filter (where collector = 'irc') as irc_state,
  epoch_us(max(sent_at) filter (where collector = 'irc')) as irc_changed_at
from observations
group by room_login
