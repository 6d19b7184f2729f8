-- Whether anything is known of who follows some channels.
select 1 as is_known
where exists (select 1 from follows where list_contains($rooms, room_login))
  or exists (select 1 from followers where list_contains($rooms, room_login))
