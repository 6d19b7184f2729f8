-- When which collector saw the rooms whose chat is kept, as the ledger has it.
select room_login, collector, state, epoch_us(sent_at) as at_us, reason
from observations
where collector in ('irc', 'eventsub', 'import')
order by room_login, at_us
