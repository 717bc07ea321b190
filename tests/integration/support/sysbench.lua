-- What oltp_read_write of sysbench does, but with a new connection for each transaction. By
-- disconnect() and connect(), because reconnect() would try again, silently, where it fails.
require("oltp_read_write")

local transaction = event

function event()
   transaction()
   close_statements()
   con:disconnect()
   con = drv:connect()
   prepare_statements()
end
