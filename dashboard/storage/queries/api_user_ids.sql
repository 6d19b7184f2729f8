-- Ids of everybody who ever wrote under a login.
select distinct user_id
from ({files})
where {conditions} and user_login = $login and user_id is not null
