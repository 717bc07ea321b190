-- A bit of everything that mariadb-dump knows how to carry; support/everything.py adds the bulk.
CREATE TABLE kinds (
  id INT UNSIGNED AUTO_INCREMENT PRIMARY KEY, tiny TINYINT, small SMALLINT UNSIGNED,
  medium MEDIUMINT, large BIGINT UNSIGNED, exact DECIMAL(40,20), single FLOAT, `double` DOUBLE,
  bits BIT(13), day DATE, moment DATETIME(6), stamp TIMESTAMP(6) NULL, span TIME(3), year YEAR,
  choice ENUM('small','größe','x''y'), several SET('a','b','c'), fixed BINARY(16), number UUID,
  place INET6, document JSON, spot POINT, twice BIGINT AS (small * 2) STORED,
  thrice BIGINT AS (small * 3) VIRTUAL, `a ``quoted`` name` INT DEFAULT 7,
  UNIQUE KEY (large), KEY (day, choice)) ENGINE=InnoDB;
-- Fractions of a FLOAT that its short text says exactly: a dump rounds all others.
INSERT INTO kinds (tiny, small, medium, large, exact, single, `double`, bits, day, moment, stamp,
                   span, year, choice, several, fixed, number, place, document, spot)
  SELECT CAST(seq % 256 AS SIGNED) - 128, seq, CAST(seq AS SIGNED) * -37, 18446744073709551615 - seq, seq / 7, seq / 8, SQRT(seq),
    seq % 8192, '2000-02-29' + INTERVAL seq DAY, '2026-01-01' + INTERVAL seq * 12345678 MICROSECOND,
    FROM_UNIXTIME(seq * 1000 + 0.000001), SEC_TO_TIME(seq - 1500.125), 1901 + seq % 255,
    1 + seq % 3, seq % 8, UNHEX(MD5(seq)), UUID(), CONCAT('2001:db8::', HEX(seq)),
    JSON_OBJECT('n', seq, 'text', 'größe'), POINT(seq, 1 / seq) FROM seq_1_to_3000;
INSERT INTO kinds () VALUES (), ();

CREATE TABLE texts (
  id INT PRIMARY KEY, utf8 TEXT CHARACTER SET utf8mb4, latin VARCHAR(200) CHARACTER SET latin1,
  empty VARCHAR(10) NOT NULL, nothing TEXT, FULLTEXT KEY (latin)) ENGINE=Aria;
-- Characters of one to four bytes, and those that SQL needs an escape for.
INSERT INTO texts
  SELECT seq, CONCAT(REPEAT('aZ09 ''\\äßЖאक漢字🜁🚪', seq % 20), CHAR(0xF09F9080 + seq % 32 USING utf8mb4)),
    CONCAT('naïve café\r\n\t\0\Z"`', seq), '', NULL FROM seq_1_to_1000;

CREATE TABLE parts (id BIGINT, day DATE, text VARCHAR(100), PRIMARY KEY (id, day)) ENGINE=InnoDB
  PARTITION BY RANGE (YEAR(day)) (PARTITION old VALUES LESS THAN (2010),
                                  PARTITION rest VALUES LESS THAN MAXVALUE);

CREATE TABLE child (id INT PRIMARY KEY, parent INT UNSIGNED, INDEX (parent),
  FOREIGN KEY (parent) REFERENCES kinds (id) ON DELETE CASCADE) ENGINE=InnoDB;
INSERT INTO child SELECT seq, 3001 - seq FROM seq_1_to_3000;

CREATE TABLE nothing (id INT) ENGINE=MyISAM;
CREATE TABLE log (id INT AUTO_INCREMENT PRIMARY KEY, said TEXT);
CREATE SEQUENCE numbers START WITH 1000 INCREMENT BY 7;
DO NEXT VALUE FOR numbers;

-- Their owner is who dumps and loads them: he may do both without being an administrator.
CREATE DEFINER=tls_only@'%' SQL SECURITY INVOKER VIEW seen AS
  SELECT id, `a ``quoted`` name` AS 'größe' FROM kinds WHERE choice = 'größe';
DELIMITER //
CREATE DEFINER=tls_only@'%' FUNCTION doubled(n INT) RETURNS INT DETERMINISTIC
BEGIN -- A comment; with a semicolon.
  RETURN n * 2;
END //
CREATE DEFINER=tls_only@'%' PROCEDURE note(IN what TEXT)
BEGIN
  INSERT INTO log (said) VALUES (CONCAT(what, ' "größe"'));
END //
CREATE DEFINER=tls_only@'%' TRIGGER noted AFTER INSERT ON parts FOR EACH ROW
BEGIN
  INSERT INTO log (said) VALUES (CONCAT('part ', NEW.id));
END //
CREATE DEFINER=tls_only@'%' EVENT sometime ON SCHEDULE EVERY 1 DAY STARTS '2036-01-01' DISABLE
  DO CALL note('an event') //
DELIMITER ;
INSERT INTO parts SELECT seq, '2000-01-01' + INTERVAL seq DAY, SHA2(seq, 256) FROM seq_1_to_9000;
